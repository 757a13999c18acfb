"""CommonMark by the C library inside `cmarkgfm`, without the leak of its own binding.

`cmarkgfm` never frees the parsed document and the rendered text: 54 KB for each comment of 1,000
characters, for as long as the process lives. The calls here are the same, and each is followed by
its release.
"""

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_void_p

from cmarkgfm import _cmark, cmark

_OPTIONS: int = (
    cmark.Options.CMARK_OPT_HARDBREAKS | cmark.Options.CMARK_OPT_STRIKETHROUGH_DOUBLE_TILDE
)


class _Memory(ctypes.Structure):
    """The library's allocator, whose `free` belongs to the texts that it gives away."""

    _fields_ = (
        ("calloc", c_void_p),
        ("realloc", c_void_p),
        ("free", ctypes.CFUNCTYPE(None, c_void_p)),
    )


def _load_library() -> ctypes.CDLL:
    """Open the extension module's file as a library and state the types of what is called."""
    library = ctypes.CDLL(_cmark.__file__)
    library.cmark_parser_new.argtypes, library.cmark_parser_new.restype = [c_int], c_void_p
    library.cmark_parser_feed.argtypes = [c_void_p, c_char_p, c_size_t]
    library.cmark_parser_finish.argtypes, library.cmark_parser_finish.restype = [c_void_p], c_void_p
    library.cmark_parser_free.argtypes = library.cmark_node_free.argtypes = [c_void_p]
    library.cmark_find_syntax_extension.restype = c_void_p
    library.cmark_parser_attach_syntax_extension.argtypes = [c_void_p, c_void_p]
    library.cmark_render_html.argtypes = [c_void_p, c_int, c_void_p]
    library.cmark_render_html.restype = c_void_p
    library.cmark_get_default_mem_allocator.restype = POINTER(_Memory)
    return library


cmark.core_extensions_ensure_registered()
_LIBRARY = _load_library()
_EXTENSIONS = [
    _LIBRARY.cmark_find_syntax_extension(name) for name in (b"autolink", b"strikethrough")
]
_MEMORY: _Memory = _LIBRARY.cmark_get_default_mem_allocator().contents


def markdown_to_html(source: str) -> str:
    """Render CommonMark with GFM's autolinks and strikethrough; raw HTML is left out."""
    parser = _LIBRARY.cmark_parser_new(_OPTIONS)
    for extension in _EXTENSIONS:
        _LIBRARY.cmark_parser_attach_syntax_extension(parser, extension)
    try:
        return _render(parser, source.encode())
    finally:
        _LIBRARY.cmark_parser_free(parser)


def _render(parser: int, source: bytes) -> str:
    _LIBRARY.cmark_parser_feed(parser, source, len(source))
    document = _LIBRARY.cmark_parser_finish(parser)
    # No extension here has a renderer for the whole document, so their list stays empty.
    html = _LIBRARY.cmark_render_html(document, _OPTIONS, None)
    try:
        return ctypes.string_at(html).decode()
    finally:
        _MEMORY.free(html)
        _LIBRARY.cmark_node_free(document)
