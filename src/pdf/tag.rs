use pdf_writer::types::StructRole;

/// The meaning of a part of a document, for those who hear it read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    Document,
    Heading,
    Subheading,
    Paragraph,
    Table,
    Row,
    /// The head of a column.
    ColumnHead,
    /// The head of a row.
    RowHead,
    Cell,
}

impl Tag {
    pub fn role(self) -> StructRole {
        match self {
            Self::Document => StructRole::Document,
            Self::Heading => StructRole::H1,
            Self::Subheading => StructRole::H2,
            Self::Paragraph => StructRole::P,
            Self::Table => StructRole::Table,
            Self::Row => StructRole::TR,
            Self::ColumnHead | Self::RowHead => StructRole::TH,
            Self::Cell => StructRole::TD,
        }
    }
}
