"""The page's look: system fonts only, so that it is complete without a network."""

from pathlib import Path

import gradio as gr
from gradio.themes.utils import colors, sizes

STYLE_SHEETS = [Path(__file__).with_name(name) for name in ("style.css", "compare_style.css", "camera_style.css")]

# Teal lies opposite to skin tones on the colour wheel, so that faces stay the warmest thing on the page.
ACCENT = colors.teal
FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "DejaVu Sans", "sans-serif")
FIXED_WIDTH_FONTS = ("ui-monospace", "Consolas", "DejaVu Sans Mono", "monospace")


class Calm(gr.themes.Base):
    """White cards on a warm grey by day, slate cards on near black by night; one accent."""

    def __init__(self) -> None:
        super().__init__(
            primary_hue=ACCENT,
            secondary_hue=ACCENT,
            neutral_hue=colors.stone,
            spacing_size=sizes.spacing_md,
            radius_size=sizes.radius_lg,
            text_size=sizes.text_md,
            font=FONTS,
            font_mono=FIXED_WIDTH_FONTS,
        )
        self.name = "calm"
        self.set(
            body_background_fill="#f6f5f3",
            body_background_fill_dark="#121413",
            body_text_color="#1f2421",
            body_text_color_dark="#eceeec",
            body_text_color_subdued="#5f6763",
            body_text_color_subdued_dark="#a0a8a4",
            background_fill_primary="#ffffff",
            background_fill_primary_dark="#1b1e1d",
            background_fill_secondary="#f0efec",
            background_fill_secondary_dark="#242827",
            border_color_primary="#e4e2dd",
            border_color_primary_dark="#313635",
            border_color_accent="*primary_600",
            border_color_accent_dark="*primary_400",
            color_accent="*primary_600",
            color_accent_soft="*primary_50",
            color_accent_soft_dark="#17322f",
            block_background_fill="*background_fill_primary",
            block_background_fill_dark="*background_fill_primary",
            block_border_width="0px",
            block_border_color="*border_color_primary",
            block_shadow="none",
            block_title_text_color="*body_text_color",
            block_title_text_weight="500",
            block_info_text_color="*body_text_color_subdued",
            block_label_background_fill="*background_fill_primary",
            block_label_background_fill_dark="*background_fill_primary",
            block_label_text_color="*body_text_color_subdued",
            block_label_text_color_dark="*body_text_color_subdued",
            block_label_border_width="0px",
            panel_background_fill="*background_fill_primary",
            panel_border_width="0px",
            input_background_fill="*background_fill_secondary",
            input_background_fill_dark="*background_fill_secondary",
            input_border_color="transparent",
            input_border_color_dark="transparent",
            input_border_color_focus="*primary_600",
            input_border_color_focus_dark="*primary_400",
            slider_color="*primary_600",
            slider_color_dark="*primary_400",
            loader_color="*primary_600",
            loader_color_dark="*primary_400",
            checkbox_label_background_fill="*background_fill_secondary",
            checkbox_label_background_fill_dark="*background_fill_secondary",
            checkbox_label_background_fill_hover="*color_accent_soft",
            checkbox_label_background_fill_hover_dark="*color_accent_soft",
            checkbox_label_background_fill_selected="*color_accent_soft",
            checkbox_label_background_fill_selected_dark="*color_accent_soft",
            checkbox_label_border_color_selected="*primary_600",
            checkbox_label_border_color_selected_dark="*primary_400",
            checkbox_label_border_width="1px",
            checkbox_label_border_color="transparent",
            checkbox_label_border_color_dark="transparent",
            checkbox_background_color_selected="*primary_600",
            checkbox_background_color_selected_dark="*primary_500",
            button_primary_background_fill="*primary_700",
            button_primary_background_fill_hover="*primary_800",
            button_primary_background_fill_dark="*primary_700",
            button_primary_background_fill_hover_dark="*primary_600",
            button_primary_text_color="#ffffff",
            button_primary_text_color_dark="#ffffff",
            button_secondary_background_fill="*background_fill_secondary",
            button_secondary_background_fill_dark="*background_fill_secondary",
            button_secondary_background_fill_hover="*border_color_primary",
            button_secondary_background_fill_hover_dark="*border_color_primary",
            button_secondary_text_color="*body_text_color",
            button_secondary_text_color_dark="*body_text_color",
            button_border_width="0px",
            button_large_text_weight="500",
            button_medium_text_weight="500",
            button_small_text_weight="500",
        )
