"""AIMv2 from timm: ViT L, H, 1B and 3B with patches of 14 pixels, without a class token and without biases."""
