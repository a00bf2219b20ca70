//! A writer of tagged PDF documents: pages of text in two weights of one font, with a tree that says what each text is,
//! so that a reader for the blind reads headings and tables as such. [`Document`] takes texts at places of a page;
//! [`wrapped`](Document::wrapped) breaks them into lines. Equal calls give equal bytes.

mod document;
mod font;
mod tag;
mod tree;

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;

pub use document::{About, Document, Ink, Style};
pub use font::{Weight, drawn};
pub use tag::Tag;
pub use tree::Element;

/// A document that cannot be made: its fonts are not what was built in.
#[derive(Debug)]
pub struct Broken(pub String);

impl From<io::Error> for Broken {
    fn from(why: io::Error) -> Self {
        Self(why.to_string())
    }
}

fn compressed(bytes: &[u8]) -> Result<Vec<u8>, Broken> {
    let mut to = ZlibEncoder::new(Vec::new(), Compression::default());
    to.write_all(bytes)?;
    Ok(to.finish()?)
}

#[cfg(test)]
mod tests;
