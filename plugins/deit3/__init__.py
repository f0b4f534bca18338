"""DeiT III from timm: ViT S, B and L with patches of 16 pixels, H with 14."""
