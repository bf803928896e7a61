"""Charts drawn: for pages as SVG that follows their theme, for files as SVG, PNG or PDF."""
