"""DeiT from timm: ViT B with patches of 16 pixels."""
