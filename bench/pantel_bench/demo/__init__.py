"""The demo: a scene crosses a slow line, is compared with its source, and a page shows what arrived."""
