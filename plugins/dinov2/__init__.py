"""DINOv2 from timm: ViT S, B, L and g with patches of 14 pixels, with and without registers."""
