//! The tree of a document's parts, each with the marks of its texts on the pages.

use pdf_writer::types::TableHeaderScope;
use pdf_writer::{Finish, Pdf, Ref};

use super::tag::Tag;

/// A part of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element(usize);

#[derive(Debug, Clone, Copy)]
enum Kid {
    Element(usize),
    /// A marked text: the number of its page, and its own on the page.
    Mark(usize, i32),
}

struct Part {
    tag: Tag,
    parent: Option<usize>,
    kids: Vec<Kid>,
}

pub struct Tree {
    parts: Vec<Part>,
    /// By page, the part of each mark.
    marks: Vec<Vec<usize>>,
}

impl Tree {
    pub const ROOT: Element = Element(0);

    pub fn new() -> Self {
        Self { parts: vec![Part { tag: Tag::Document, parent: None, kids: Vec::new() }], marks: Vec::new() }
    }

    pub fn add(&mut self, parent: Element, tag: Tag) -> Element {
        let at = self.parts.len();
        self.parts.push(Part { tag, parent: Some(parent.0), kids: Vec::new() });
        if let Some(parent) = self.parts.get_mut(parent.0) {
            parent.kids.push(Kid::Element(at));
        }
        Element(at)
    }

    pub fn begin_page(&mut self) {
        self.marks.push(Vec::new());
    }

    /// Answers the number of the mark on the last page.
    pub fn mark(&mut self, of: Element) -> i32 {
        let page = self.marks.len().saturating_sub(1);
        let Some(marks) = self.marks.last_mut() else { return 0 };
        let number = i32::try_from(marks.len()).unwrap_or(i32::MAX);
        marks.push(of.0);
        if let Some(part) = self.parts.get_mut(of.0) {
            part.kids.push(Kid::Mark(page, number));
        }
        number
    }

    /// The name by which a page marks a text of a part.
    pub fn role(&self, of: Element) -> pdf_writer::Name<'static> {
        self.parts.get(of.0).map_or(Tag::Paragraph, |part| part.tag).role().to_name()
    }

    /// Writes the parts and the table by which a mark finds its part.
    pub fn write(&self, pdf: &mut Pdf, root: Ref, pages: &[Ref], mut next: impl FnMut() -> Ref) {
        let ids: Vec<Ref> = self.parts.iter().map(|_| next()).collect();
        let id_of = |part: usize| ids.get(part).copied().unwrap_or(root);
        for (part, id) in self.parts.iter().zip(&ids) {
            let mut element = pdf.struct_element(*id);
            element.kind(part.tag.role()).parent(part.parent.map_or(root, id_of));
            let first = part.kids.iter().find_map(|kid| match kid {
                Kid::Mark(page, _) => Some(*page),
                Kid::Element(_) => None,
            });
            if let Some(page) = first.and_then(|page| pages.get(page)) {
                element.page(*page);
            }
            let mut kids = element.children();
            for kid in &part.kids {
                match *kid {
                    Kid::Element(part) => drop(kids.struct_element(id_of(part))),
                    Kid::Mark(page, number) if Some(page) == first => drop(kids.marked_content_id(number)),
                    Kid::Mark(page, number) => {
                        let mut mark = kids.marked_content_ref();
                        mark.marked_content_id(number);
                        if let Some(page) = pages.get(page) {
                            mark.page(*page);
                        }
                    }
                }
            }
            kids.finish();
            let scope = match part.tag {
                Tag::ColumnHead => Some(TableHeaderScope::Column),
                Tag::RowHead => Some(TableHeaderScope::Row),
                _ => None,
            };
            if let Some(scope) = scope {
                element.attributes().push().table().scope(scope);
            }
        }
        let lists: Vec<Ref> = self.marks.iter().map(|_| next()).collect();
        for (marks, id) in self.marks.iter().zip(&lists) {
            let mut list = pdf.indirect(*id).array();
            list.items(marks.iter().map(|part| id_of(*part)));
        }
        let parents = next();
        let mut numbers = pdf.indirect(parents).dict();
        let mut pairs = numbers.insert(pdf_writer::Name(b"Nums")).array();
        for (page, list) in (0_i32..).zip(&lists) {
            pairs.item(page).item(*list);
        }
        pairs.finish();
        numbers.finish();
        let mut tree = pdf.indirect(root).dict();
        tree.pair(pdf_writer::Name(b"Type"), pdf_writer::Name(b"StructTreeRoot"));
        tree.pair(pdf_writer::Name(b"K"), id_of(Self::ROOT.0));
        tree.pair(pdf_writer::Name(b"ParentTree"), parents);
        tree.pair(pdf_writer::Name(b"ParentTreeNextKey"), i32::try_from(lists.len()).unwrap_or(i32::MAX));
    }
}
