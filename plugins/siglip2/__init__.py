"""SigLIP 2 from timm: ViT B, L and So400m with their attention pool and no class token."""
