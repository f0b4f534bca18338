"""CoCa's vision tower: a transformer of timm's, and the pooler that timm lacks.

The pooler's learned queries look at all tokens of the transformer. The first one's answer, projected, is the image
embedding that was matched with captions; the others fed the text decoder, which is not here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class AttentionPooler(nn.Module):
    """Learned queries over tokens: Q × D out of N × C."""

    def __init__(self, width: int, out: int, queries: int, heads: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(queries, out) * 0.02)
        self.ln_q = nn.LayerNorm(out)
        self.ln_k = nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(out, heads, kdim=width, vdim=width, batch_first=True)

    def forward(self, tokens: Tensor) -> Tensor:
        """The first query's answer, B × D, to tokens B × N × C."""
        keys = self.ln_k(tokens)
        query = self.ln_q(self.query[:1]).expand(len(tokens), -1, -1)
        answer: Tensor = self.attn(query, keys, keys, need_weights=False)[0]
        return answer[:, 0]


class CoCaTower(nn.Module):
    """The transformer with its tokens before any norm, and the embedding pooled from them."""

    def __init__(self, trunk: nn.Module, out: int, queries: int, heads: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.attn_pool = AttentionPooler(int(trunk.num_features), out, queries, heads)  # type: ignore[arg-type]
        self.norm = nn.LayerNorm(out)
        self.proj = nn.Parameter(torch.randn(out, out) * out**-0.5)
        self.num_features = out

    def forward_features(self, images: Tensor) -> Tensor:
        """Tokens B × (1 + T) × C of normalised images B × 3 × H × W, the class token first."""
        tokens: Tensor = self.trunk.forward_features(images)  # type: ignore[operator]
        return tokens

    def forward_head(self, tokens: Tensor, pre_logits: bool = True) -> Tensor:
        """The image embedding B × D."""
        embedding: Tensor = self.norm(self.attn_pool(tokens)) @ self.proj
        return embedding

    def forward(self, images: Tensor) -> Tensor:
        """The image embedding B × D of normalised images."""
        return self.forward_head(self.forward_features(images))
