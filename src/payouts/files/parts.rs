//! A payout in as many files as its format needs.

use super::format::Format;
use super::payer::Payer;
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

/// The head of each file, for amounts in the order of the lines: the first `rows` of them are the first file's, and
/// so on. A single file keeps the payout's own id, several have a number behind it.
pub fn parts(payer: &Payer, whole: &Head, amounts: &[i64]) -> Vec<Head> {
    let chunks = amounts.chunks(most(payer));
    let alone = chunks.len() < 2;
    chunks
        .enumerate()
        .map(|(at, amounts)| Head {
            id: if alone { whole.id.clone() } else { format!("{}-{}", whole.id, at + 1) },
            rows: amounts.len(),
            total: amounts.iter().sum(),
            ..whole.clone()
        })
        .collect()
}
