"""Convolutional baselines from timm: ResNet-50 and EfficientNet-Lite."""
