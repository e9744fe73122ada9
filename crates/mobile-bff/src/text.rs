//! Text that people wrote, on a small screen.

use unicode_segmentation::UnicodeSegmentation;

/// The visible part of a text, cut after so many characters as people count them (Unicode UAX #29).
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    let visible: String = text.chars().filter(|c| !c.is_control() && !is_invisible(*c)).collect();
    let visible = visible.trim_matches(|c: char| c.is_whitespace() || is_joiner(c));
    match visible.grapheme_indices(true).nth(longest) {
        None => visible.to_owned(),
        Some((end, _)) => format!("{}…", visible[..end].trim_end()),
    }
}

/// Characters without a shape: those that turn the direction of the text after them (UAX #9), and empty spaces.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206F}' | '\u{FEFF}')
}

/// They join what stands around them, as in many emoji; alone they show nothing.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_never_splits_what_is_one_character_to_people() {
        assert_eq!(shortened("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 2), "👩‍👩‍👧👩‍👩‍👧…");
        assert_eq!(shortened("e\u{301}e\u{301}", 1), "e\u{301}…");
        assert_eq!(shortened(" a\u{200D} ", 5), "a");
        assert_eq!(shortened("one two", 4), "one…");
    }
}
