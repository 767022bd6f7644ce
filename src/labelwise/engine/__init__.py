"""The packed engine: an encoder's forward pass in C++, for CPUs; no padding and no other runtime.

The library is compiled when labelwise is installed where there is a compiler, and loaded by ctypes. Without
it everything runs through onnxruntime as before.
"""

from __future__ import annotations

__all__: list[str] = []
