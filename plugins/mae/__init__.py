"""MAE from timm: ViT B and L with patches of 16 pixels, H with 14."""
