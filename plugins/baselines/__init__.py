"""Supervised baselines from timm: ResNet, DenseNet, VGG-19, EfficientNet-Lite and a ViT-L."""
