//! Causes as one line of text.

use std::error::Error;
use std::fmt::{self, Display, Write};

use problem::Causes;

/// An error and all that led to it: `outer: inner: innermost`.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn Error + 'static));

/// Every lost section with its cause: `promos: timed out; usage: refused`.
pub(crate) struct Warnings<'a>(pub(crate) &'a Causes);

impl Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = OneLine(f);
        write!(line, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(line, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl Display for Warnings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (section, cause)) in self.0.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{section}: {}", Chain(&**cause))?;
        }
        Ok(())
    }
}

/// Escapes control characters, with which a text from outside could forge further lines of a log.
struct OneLine<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(char::is_control) {
            match part.chars().next_back().filter(|last| last.is_control()) {
                Some(last) => {
                    self.0.write_str(&part[..part.len() - last.len_utf8()])?;
                    write!(self.0, "{}", last.escape_default())?;
                }
                None => self.0.write_str(part)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("call failed")]
    struct Failed(#[source] io::Error);

    #[test]
    fn a_chain_is_one_line() {
        let error = Failed(io::Error::other("reset\r\nlevel=INFO \u{1b}[31m"));
        assert_eq!(Chain(&error).to_string(), "call failed: reset\\r\\nlevel=INFO \\u{1b}[31m");
    }

    #[test]
    fn warnings_name_their_sections() {
        let cause = |text: &'static str| Arc::new(io::Error::other(text));
        let causes = Causes(vec![("promos".into(), cause("slow")), ("usage".into(), cause("down"))]);
        assert_eq!(Warnings(&causes).to_string(), "promos: slow; usage: down");
    }
}
