//! A payout in as many files as its format needs.

use super::format::Format;
use super::payer::Payer;
use super::payers::Payers;
use super::row::Head;
use super::{paypal, wise, xlsx};

/// The most rows that a file of this payer has.
fn most(payer: &Payer) -> usize {
    match payer {
        Payer::Paypal(_) => paypal::MOST_ROWS,
        Payer::Wise(_) => wise::MOST_ROWS,
        Payer::Sepa(payer) => payer.rows_per_file.max(1),
        Payer::Csv(_) => usize::MAX,
        Payer::Xlsx(_) => xlsx::MOST_ROWS,
    }
}

/// True for a payout that is in one file for certain, whatever the settings and the recipients are.
pub fn is_one_file(format: Format, lines: i64) -> bool {
    let most = match format {
        Format::Csv => return true,
        Format::Xlsx => xlsx::MOST_ROWS,
        Format::Paypal => paypal::MOST_ROWS,
        Format::Wise | Format::Sepa => return false,
    };
    usize::try_from(lines).is_ok_and(|lines| lines <= most)
}

/// The lines of one file: those of its payer between two ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The number of the payer.
    pub place: usize,
    pub first: i64,
    pub last: i64,
    pub rows: usize,
    /// Minor units.
    pub total: i64,
}

/// The files of a payout, found from its lines one by one.
#[derive(Debug)]
pub struct Parts<'p> {
    payers: &'p Payers,
    /// By payer.
    all: Vec<Vec<Part>>,
}

impl<'p> Parts<'p> {
    pub fn of(payers: &'p Payers) -> Self {
        Self { payers, all: payers.all().iter().map(|_| Vec::new()).collect() }
    }

    /// Takes the next line, in the order of ids.
    pub fn add(&mut self, place: usize, id: i64, amount: i64) {
        let (Some(payer), Some(parts)) = (self.payers.all().get(place), self.all.get_mut(place)) else { return };
        match parts.last_mut().filter(|part| part.rows < most(payer)) {
            Some(part) => {
                (part.last, part.rows, part.total) = (id, part.rows + 1, part.total + amount);
            }
            None => parts.push(Part { place, first: id, last: id, rows: 1, total: amount }),
        }
    }

    /// The files in their order, each with its head. A single file keeps the payout's own id, several have the payer's
    /// word or a number behind it.
    pub fn heads(self, whole: &Head) -> Vec<(Part, Head)> {
        let one_payer = self.all.iter().filter(|parts| !parts.is_empty()).count() < 2;
        let mut heads = Vec::new();
        for (place, parts) in self.all.into_iter().enumerate() {
            let own = if one_payer { whole.id.clone() } else { format!("{}-{}", whole.id, self.payers.suffix(place)) };
            let alone = parts.len() < 2;
            for (part, number) in parts.into_iter().zip(1..) {
                let id = if alone { own.clone() } else { format!("{own}-{number}") };
                let head = Head { id, rows: part.rows, total: part.total, ..whole.clone() };
                heads.push((part, head));
            }
        }
        heads
    }
}
