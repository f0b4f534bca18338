"""BiomedCLIP in timm's architecture: a ViT B with patches of 16 pixels, before its projection."""
