"""MSN in timm's architectures: ViT S, B and L with patches of 16 pixels."""
