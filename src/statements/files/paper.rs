//! A statement on A4 pages: sender, recipient, sums, and a table whose head stands on every page. Texts in, bytes out.

use crate::pdf::{About, Broken, Document, Element, Ink, Style, Tag, Weight};

const LEFT: f32 = 48.0;
const RIGHT: f32 = 547.28;
const TOP: f32 = 60.0;
const BOTTOM: f32 = 782.0;
/// The place of each column: where a text begins or an amount ends, and its width.
const ENTRY: (f32, f32) = (LEFT, 196.0);
const DAY: (f32, f32) = (254.0, 62.0);
const LEAD: (f32, f32) = (322.0, 92.0);
const AMOUNT: (f32, f32) = (482.0, 62.0);
const OWED: (f32, f32) = (RIGHT, 60.0);
/// Lines of a cell; whatever is longer ends with an ellipsis.
const MOST_LINES: usize = 30;
/// The height of the table's head.
const HEAD: f32 = 20.0;

const fn style(weight: Weight, size: f32, ink: Ink) -> Style {
    Style { weight, size, ink }
}

const TITLE: Style = style(Weight::Bold, 18.0, Ink::Strong);
const NAME: Style = style(Weight::Bold, 10.0, Ink::Strong);
const SUM: Style = style(Weight::Regular, 10.0, Ink::Strong);
const TEXT: Style = style(Weight::Regular, 9.0, Ink::Strong);
const STRONG: Style = style(Weight::Bold, 9.0, Ink::Strong);
const SMALL: Style = style(Weight::Regular, 7.5, Ink::Soft);
const LABEL: Style = style(Weight::Bold, 7.5, Ink::Soft);

/// The texts above the table, and in the foot.
pub(super) struct Letter {
    pub sender: String,
    /// A line each.
    pub address: Vec<String>,
    pub recipient: Vec<String>,
    pub title: String,
    /// Label, sum, and a remark below it. The last is the one that counts.
    pub sums: Vec<(String, String, String)>,
    pub note: String,
    pub currency: &'static str,
    pub about: About,
}

/// A row of the table.
#[derive(Default)]
pub(super) struct Line {
    pub title: String,
    pub about: String,
    pub day: String,
    pub lead: String,
    pub product: String,
    pub amount: String,
    pub owed: String,
    /// An opening or a closing balance.
    pub is_balance: bool,
}

pub(super) struct Paper {
    document: Document,
    table: Element,
    heads: [String; 5],
    foot: String,
    /// The height that is used of the page.
    y: f32,
}

impl Paper {
    pub(super) fn begin(letter: Letter) -> Result<Self, Broken> {
        let mut document = Document::new(letter.about.clone())?;
        let mut y = paragraph(&mut document, Tag::Paragraph, NAME, &letter.sender, TOP, 13.0);
        for line in &letter.address {
            y = paragraph(&mut document, Tag::Paragraph, TEXT, line, y, 12.0);
        }
        y += 24.0;
        for (at, line) in letter.recipient.iter().enumerate() {
            let style = if at == 0 { NAME } else { TEXT };
            y = paragraph(&mut document, Tag::Paragraph, style, line, y, 13.0);
        }
        y = paragraph(&mut document, Tag::Heading, TITLE, &letter.title, y + 30.0, 22.0);
        y = paragraph(&mut document, Tag::Paragraph, TEXT, &letter.note, y, 13.0);
        y = sums(&mut document, &letter.sums, y + 8.0) + 16.0;
        let table = document.element(Document::ROOT, Tag::Table);
        let money = |word: &str| format!("{word}, {}", letter.currency);
        let heads = ["Entry".to_owned(), "Day".to_owned(), "Lead".to_owned(), money("Amount"), money("Owed")];
        let foot = [letter.sender, letter.title, letter.recipient.into_iter().next().unwrap_or_default()];
        let mut paper = Self { document, table, heads, foot: foot.join(" · "), y };
        let row = paper.document.element(table, Tag::Row);
        paper.head(Some(row));
        Ok(paper)
    }

    /// The head of the table; where it is repeated, it is an ornament.
    fn head(&mut self, row: Option<Element>) {
        let y = self.y + 11.0;
        for (at, (head, (x, width))) in self.heads.clone().iter().zip([ENTRY, DAY, LEAD, AMOUNT, OWED]).enumerate() {
            let cell = row.map(|row| self.document.element(row, Tag::ColumnHead));
            if at < 3 {
                self.document.text(cell, (x, y), LABEL, head);
            } else {
                self.document.text_to(cell, (x, y), LABEL, head, width);
            }
        }
        self.y += HEAD - 3.0;
        self.document.rule((LEFT, RIGHT), self.y, Ink::Strong);
    }

    pub(super) fn row(&mut self, line: &Line) -> Result<(), Broken> {
        let title = if line.is_balance { STRONG } else { TEXT };
        let cells = [
            (Tag::RowHead, ENTRY, self.cell(&line.title, title, ENTRY.1), self.cell(&line.about, SMALL, ENTRY.1)),
            (Tag::Cell, DAY, self.cell(&line.day, TEXT, DAY.1), Vec::new()),
            (Tag::Cell, LEAD, self.cell(&line.lead, TEXT, LEAD.1), self.cell(&line.product, SMALL, LEAD.1)),
        ];
        let height = |first: usize, second: usize| 12.0 * first as f32 + 10.0 * second as f32;
        let most = cells.iter().map(|(.., first, second)| height(first.len(), second.len())).fold(12.0, f32::max) + 8.0;
        if self.y + most > BOTTOM {
            self.document.next_page()?;
            self.y = TOP - HEAD;
            self.head(None);
        }
        let row = self.document.element(self.table, Tag::Row);
        let baseline = self.y + 13.0;
        for (tag, (x, _), first, second) in &cells {
            let cell = self.document.element(row, *tag);
            let style = if *tag == Tag::RowHead { title } else { TEXT };
            let mut y = baseline;
            for text in first {
                self.document.text(Some(cell), (*x, y), style, text);
                y += 12.0;
            }
            y -= 1.0;
            for text in second {
                self.document.text(Some(cell), (*x, y), SMALL, text);
                y += 10.0;
            }
        }
        for ((x, width), text) in [(AMOUNT, &line.amount), (OWED, &line.owed)] {
            let cell = self.document.element(row, Tag::Cell);
            if !text.is_empty() {
                self.document.text_to(Some(cell), (x, baseline), title, text, width);
            }
        }
        self.y += most;
        self.document.rule((LEFT, RIGHT), self.y, Ink::Soft);
        Ok(())
    }

    fn cell(&self, text: &str, style: Style, width: f32) -> Vec<String> {
        let mut lines = self.document.wrapped(text, style, width);
        if lines.len() > MOST_LINES {
            lines.truncate(MOST_LINES - 1);
            lines.push("…".to_owned());
        }
        lines
    }

    pub(super) fn end(self) -> Result<Vec<u8>, Broken> {
        let most = RIGHT - LEFT - 90.0;
        let mut foot = self.document.wrapped(&self.foot, SMALL, most);
        let is_cut = foot.len() > 1;
        foot.truncate(1);
        let foot = foot.pop().unwrap_or_default();
        let foot = if is_cut { format!("{foot} …") } else { foot };
        self.document.finish((LEFT, RIGHT), SMALL, |page, of| (foot.clone(), format!("Page {page} of {of}")))
    }
}

/// A text over the width of the page; answers the height that is used of the page.
fn paragraph(document: &mut Document, tag: Tag, style: Style, text: &str, y: f32, step: f32) -> f32 {
    let lines = document.wrapped(text, style, RIGHT - LEFT);
    if lines.is_empty() {
        return y;
    }
    let of = document.element(Document::ROOT, tag);
    let mut y = y;
    for line in lines {
        document.text(Some(of), (LEFT, y), style, &line);
        y += step;
    }
    y
}

/// The sums beside each other; answers the height that is used of the page.
fn sums(document: &mut Document, sums: &[(String, String, String)], y: f32) -> f32 {
    let table = document.element(Document::ROOT, Tag::Table);
    let (heads, values) = (document.element(table, Tag::Row), document.element(table, Tag::Row));
    let width = (RIGHT - LEFT) / sums.len().max(1) as f32;
    let mut last = y;
    for (at, (label, sum, remark)) in sums.iter().enumerate() {
        let (x, is_last) = (LEFT + width * at as f32, at + 1 == sums.len());
        let head = document.element(heads, Tag::ColumnHead);
        document.text(Some(head), (x, y + 8.0), LABEL, label);
        let value = document.element(values, Tag::Cell);
        document.text(Some(value), (x, y + 22.0), if is_last { NAME } else { SUM }, sum);
        let mut line = y + 34.0;
        for text in document.wrapped(remark, SMALL, width - 6.0) {
            document.text(Some(value), (x, line), SMALL, &text);
            line += 10.0;
        }
        last = last.max(line);
    }
    last
}
