use pdf_writer::types::TabOrder;
use pdf_writer::{Content, Date, Name, Pdf, Rect, Ref, Str, TextStr};

use super::font::{Font, Weight, drawn};
use super::tag::Tag;
use super::tree::{Element, Tree};
use super::{Broken, compressed};

/// The facts of a document that no page shows.
#[derive(Debug, Clone)]
pub struct About {
    pub title: String,
    pub author: String,
    /// "en".
    pub language: &'static str,
    /// The day that it is dated, as year, month and day.
    pub day: (u16, u8, u8),
    /// Tells it from every other document.
    pub id: [u8; 16],
}

/// The strength of a text's colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Strong,
    Soft,
}

impl Ink {
    fn grey(self) -> f32 {
        match self {
            Self::Strong => 0.07,
            Self::Soft => 0.35,
        }
    }
}

/// The look of a text.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub weight: Weight,
    pub size: f32,
    pub ink: Ink,
}

/// A4, in points.
pub const WIDTH: f32 = 595.28;
pub const HEIGHT: f32 = 841.89;

/// A document in the making. Places are points from the left and from the top of the last page.
pub struct Document {
    about: About,
    pdf: Pdf,
    last: Ref,
    /// The page tree, which every page names.
    pages_id: Ref,
    regular: Font,
    bold: Font,
    tree: Tree,
    /// The page and its texts, of pages that are done.
    pages: Vec<(Ref, Ref)>,
    content: Content,
}

impl Document {
    pub const ROOT: Element = Tree::ROOT;

    pub fn new(about: About) -> Result<Self, Broken> {
        let mut pdf = Pdf::new();
        pdf.set_version(1, 7);
        let pages_id = Ref::new(1);
        let mut tree = Tree::new();
        tree.begin_page();
        let (regular, bold) = (Font::new(Weight::Regular)?, Font::new(Weight::Bold)?);
        Ok(Self {
            about,
            pdf,
            last: pages_id,
            pages_id,
            regular,
            bold,
            tree,
            pages: Vec::new(),
            content: Content::new(),
        })
    }

    fn next(&mut self) -> Ref {
        self.last = Ref::new(self.last.get() + 1);
        self.last
    }

    fn font(&self, weight: Weight) -> &Font {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    /// A part of the document, below another one.
    pub fn element(&mut self, parent: Element, tag: Tag) -> Element {
        self.tree.add(parent, tag)
    }

    /// The width of a text on one line.
    pub fn width(&self, text: &str, style: Style) -> f32 {
        self.font(style.weight).width(&drawn(text), style.size)
    }

    /// The text in lines that fit a width; a word that is wider is broken.
    pub fn wrapped(&self, text: &str, style: Style, width: f32) -> Vec<String> {
        let font = self.font(style.weight);
        let fits = |line: &str| font.width(line, style.size) <= width;
        let (mut lines, mut line) = (Vec::new(), String::new());
        for word in drawn(text).split(' ').filter(|word| !word.is_empty()) {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if fits(&longer) {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for c in word.chars() {
                line.push(c);
                if !fits(&line) && line.chars().nth(1).is_some() {
                    line.pop();
                    lines.push(std::mem::take(&mut line));
                    line.push(c);
                }
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
        lines
    }

    /// Draws a text whose baseline begins at a place. Without an element it is an ornament: nobody reads it aloud.
    pub fn text(&mut self, of: Option<Element>, (x, y): (f32, f32), style: Style, text: &str) {
        let text = drawn(text);
        let font = match style.weight {
            Weight::Regular => &mut self.regular,
            Weight::Bold => &mut self.bold,
        };
        let bytes = font.encoded(&text);
        match of {
            Some(of) => {
                let number = self.tree.mark(of);
                let mut mark = self.content.begin_marked_content_with_properties(self.tree.role(of));
                mark.properties().identify(number);
            }
            None => drop(self.content.begin_marked_content(Name(b"Artifact"))),
        }
        self.content.begin_text().set_font(style.weight.name(), style.size).set_fill_gray(style.ink.grey());
        self.content.set_text_matrix([1.0, 0.0, 0.0, 1.0, x, HEIGHT - y]).show(Str(&bytes));
        self.content.end_text().end_marked_content();
    }

    /// As [`Self::text`], but it ends at the place; a text wider than `most` is drawn smaller.
    pub fn text_to(&mut self, of: Option<Element>, (x, y): (f32, f32), style: Style, text: &str, most: f32) {
        let width = self.width(text, style);
        let size = if width > most { style.size * most / width } else { style.size };
        let style = Style { size, ..style };
        self.text(of, (x - self.width(text, style), y), style, text);
    }

    /// An ornament: a line across the page.
    pub fn rule(&mut self, (from, to): (f32, f32), y: f32, ink: Ink) {
        let grey = if ink == Ink::Strong { 0.3 } else { 0.8 };
        self.content.begin_marked_content(Name(b"Artifact")).set_line_width(0.6).set_stroke_gray(grey);
        self.content.move_to(from, HEIGHT - y).line_to(to, HEIGHT - y).stroke().end_marked_content();
    }

    /// Ends the page and begins the next one.
    pub fn next_page(&mut self) -> Result<(), Broken> {
        self.end_page()?;
        self.tree.begin_page();
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), Broken> {
        let (page, texts) = (self.next(), self.next());
        self.pages.push((page, texts));
        let content = std::mem::replace(&mut self.content, Content::new()).finish();
        let bytes = compressed(content.as_slice())?;
        self.pdf.stream(texts, &bytes).filter(pdf_writer::Filter::FlateDecode);
        Ok(())
    }

    /// The document's bytes. `foot` gives the two ornaments at the foot of a page, left and right: it is asked with the
    /// number of each page and of all.
    pub fn finish(
        mut self,
        edges: (f32, f32),
        style: Style,
        foot: impl Fn(usize, usize) -> (String, String),
    ) -> Result<Vec<u8>, Broken> {
        self.end_page()?;
        let pages = std::mem::take(&mut self.pages);
        let fonts = Weight::ALL.map(|weight| (weight, self.next()));
        for (at, (page, texts)) in pages.iter().enumerate() {
            let (left, right) = foot(at + 1, pages.len());
            self.text(None, (edges.0, HEIGHT - 32.0), style, &left);
            self.text_to(None, (edges.1, HEIGHT - 32.0), style, &right, 200.0);
            let content = std::mem::replace(&mut self.content, Content::new()).finish();
            let id = self.next();
            self.pdf.stream(id, content.as_slice());
            let mut written = self.pdf.page(*page);
            written.parent(self.pages_id).media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT));
            written.contents_array([*texts, id]).tab_order(TabOrder::StructureOrder);
            written.struct_parents(i32::try_from(at).unwrap_or(i32::MAX));
            let mut resources = written.resources();
            let mut named = resources.fonts();
            for (weight, font) in fonts {
                named.pair(weight.name(), font);
            }
        }
        let kids: Vec<Ref> = pages.iter().map(|(page, _)| *page).collect();
        let count = i32::try_from(kids.len()).unwrap_or(i32::MAX);
        self.pdf.pages(self.pages_id).kids(kids.iter().copied()).count(count);
        for (weight, id) in fonts {
            let Self { pdf, last, regular, bold, .. } = &mut self;
            let font = if weight == Weight::Regular { regular } else { bold };
            font.write(pdf, id, || counted(last))?;
        }
        let root = self.next();
        let Self { pdf, last, tree, .. } = &mut self;
        tree.write(pdf, root, &kids, || counted(last));
        self.write_about(root);
        Ok(self.pdf.finish())
    }

    fn write_about(&mut self, tree: Ref) {
        let (info, metadata, catalog) = (self.next(), self.next(), self.next());
        let (year, month, day) = self.about.day;
        let date = Date::new(year).month(month).day(day);
        self.pdf
            .document_info(info)
            .title(TextStr(&self.about.title))
            .author(TextStr(&self.about.author))
            .producer(TextStr("Refdesk"))
            .creation_date(date);
        self.pdf.metadata(metadata, xmp(&self.about).as_bytes());
        self.pdf.set_file_id((self.about.id.to_vec(), self.about.id.to_vec()));
        let mut written = self.pdf.catalog(catalog);
        written.pages(self.pages_id).lang(TextStr(self.about.language)).metadata(metadata);
        written.pair(Name(b"StructTreeRoot"), tree);
        written.mark_info().marked(true);
        written.viewer_preferences().display_doc_title(true);
    }
}

fn counted(last: &mut Ref) -> Ref {
    *last = Ref::new(last.get() + 1);
    *last
}

/// The facts once more, as programs read them.
fn xmp(about: &About) -> String {
    let (year, month, day) = about.day;
    let escaped = |text: &str| {
        let fine = text.chars().filter(|c| !c.is_control());
        fine.collect::<String>().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    };
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\" \
         xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\">\
         <dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{title}</rdf:li></rdf:Alt></dc:title>\
         <dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>\
         <dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>\
         <pdf:Producer>Refdesk</pdf:Producer><xmp:CreateDate>{year:04}-{month:02}-{day:02}</xmp:CreateDate>\
         </rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>",
        title = escaped(&about.title),
        author = escaped(&about.author),
        language = about.language,
    )
}
