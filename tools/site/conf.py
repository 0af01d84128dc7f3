"""How Sphinx makes the site of what tools/book.py has gathered; nothing in it asks another host."""

project = "cloudkata"
html_title = "cloudkata"
language = "en"
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]
nitpicky = True
html_theme = "furo"
html_static_path = ["_static"]
html_extra_path = ["extra"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-dark"
html_theme_options = {
    "light_css_variables": {
        "font-stack": "'Liberation Sans', Arial, Helvetica, sans-serif",
        "font-stack--monospace": "'DejaVu Sans Mono', Menlo, Consolas, monospace",
        "color-brand-primary": "#0b6b6b",
        "color-brand-content": "#0b6b6b",
        "color-brand-visited": "#5b3a86",
        "color-background-primary": "#fbfaf6",
        "color-background-secondary": "#f1eee4",
        "color-foreground-primary": "#1d2433",
        "color-foreground-secondary": "#465062",
        "color-foreground-muted": "#515b6c",
    },
    "dark_css_variables": {
        "color-brand-primary": "#7fd1c9",
        "color-brand-content": "#7fd1c9",
        "color-brand-visited": "#c9b3ee",
        "color-background-primary": "#10262c",
        "color-background-secondary": "#0b1c21",
        "color-foreground-muted": "#9aa3ab",
    },
}
