"""DINOv3 from timm: ViT S, S+, B, L, H+ and 7B with patches of 16 pixels and rotary positions."""
