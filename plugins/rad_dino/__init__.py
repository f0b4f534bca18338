"""RAD-DINO in timm's architecture: a ViT B with patches of 14 pixels."""
