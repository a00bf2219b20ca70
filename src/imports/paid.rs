//! Payout details in a file of referrers. Their cells are encrypted before they are stored, so that no row of a file
//! holds an account number; lists and rejected rows show a few characters of each.

use super::mapping::{Field, Mapping};
use crate::keyring::Keyring;
use crate::payout_details::{self, Details, FIELDS, Method, iban, masked};
use crate::secret_key::SecretKey;

/// Stands between what is shown of a cell and the sealed whole.
const MARK: char = '\u{1f}';

/// The column that names the method.
pub const METHOD: &str = "payout_method";

fn about(import_id: i64) -> String {
    format!("import/{import_id}")
}

/// Encrypts cells on their way into the database. The key is looked for when the first such cell comes.
pub struct Sealer {
    keyring: Keyring,
    /// The id of the key that counts.
    current: Option<String>,
    about: String,
    columns: Vec<usize>,
    key: Option<SecretKey>,
    may_pay: bool,
}

impl Sealer {
    pub fn new(keyring: Keyring, current: Option<String>, import_id: i64, may_pay: bool) -> Self {
        Self { keyring, current, about: about(import_id), columns: Vec::new(), key: None, may_pay }
    }

    /// Notes the columns of payout details; only those who may set them bring any.
    pub fn columns_of(&mut self, mapping: &Mapping) -> Result<(), String> {
        let is_paid = |field: &Option<Field>| matches!(field, Some(Field::Paid(name)) if *name != METHOD);
        let columns = mapping.columns.iter().enumerate().filter(|(_, field)| is_paid(field));
        self.columns = columns.map(|(at, _)| at).collect();
        if self.columns.is_empty() || self.may_pay {
            return Ok(());
        }
        Err("The file has payout details, and this key may not set them: it needs the scope payouts:write.".into())
    }

    /// Encrypts the cells of these columns. An IBAN in another one is not stored at all.
    pub fn seal(&mut self, cells: &mut [String]) -> Result<(), String> {
        for (at, cell) in cells.iter_mut().enumerate() {
            if cell.contains(MARK) {
                *cell = cell.replace(MARK, " ");
            }
            if self.columns.contains(&at) && !cell.trim().is_empty() {
                let about = self.about.clone();
                let sealed = self.key()?.seal(&about, cell).ok_or("A cell is too long.")?;
                *cell = format!("{}{MARK}{sealed}", masked(cell));
            } else if may_be_iban(cell) && iban::iban(cell).is_ok() {
                *cell = masked(cell);
            }
        }
        Ok(())
    }

    fn key(&mut self) -> Result<&SecretKey, String> {
        let key = match (self.key.take(), &self.current) {
            (Some(key), _) => key,
            (None, None) => self.keyring.first()?,
            (None, Some(id)) => {
                let found = self.keyring.find(id)?;
                found.ok_or_else(|| format!("Payout details are encrypted with the key {id}, which is not here."))?
            }
        };
        Ok(self.key.insert(key))
    }
}

/// A cheap look before the thorough one: files have millions of cells.
fn may_be_iban(cell: &str) -> bool {
    cell.len() >= 15 && cell.bytes().filter(u8::is_ascii_digit).count() >= 4
}

/// The part of a stored cell that is shown.
pub fn shown(cell: String) -> String {
    match cell.split_once(MARK) {
        Some((shown, _)) => shown.to_owned(),
        None => cell,
    }
}

/// The file of a row, and its person.
pub struct Of<'r> {
    pub import_id: i64,
    /// The business's.
    pub country: &'r str,
    pub name: &'r str,
}

/// The payout details of a row, from its cells as they are stored; none where it has no such cell. An account without
/// a holder is that of the row's person.
pub fn details(
    cells: &[String],
    mapping: &Mapping,
    keys: &[SecretKey],
    of: &Of<'_>,
) -> Result<Option<Details>, (Field, String)> {
    let mut texts: Vec<(&'static str, String)> = Vec::new();
    for (cell, field) in cells.iter().zip(&mapping.columns) {
        let Some(Field::Paid(name)) = *field else { continue };
        if cell.trim().is_empty() {
            continue;
        }
        let text = match cell.split_once(MARK) {
            Some((_, sealed)) => Keyring::open(keys, &about(of.import_id), sealed).map_err(|why| {
                (Field::Paid(name), format!("The cell cannot be read: {why}. Upload the file again."))
            })?,
            None if name == METHOD => cell.clone(),
            None => {
                let why = "Payout details are read from columns whose names in the file say so, such as iban or \
                           paypal_email. Name the column in the file, and upload it again.";
                return Err((Field::Paid(name), why.into()));
            }
        };
        texts.push((name, text.trim().to_owned()));
    }
    let value = |name: &str| texts.iter().find(|(field, _)| *field == name).map_or("", |(_, text)| text.as_str());
    let method = match value(METHOD) {
        "" => payout_details::method_of(&value),
        typed => {
            let method =
                Method::ALL.into_iter().find(|m| [m.word(), m.title()].iter().any(|w| w.eq_ignore_ascii_case(typed)));
            let why = || (Field::Paid(METHOD), "The method is none of paypal, wise, bank and hand.".to_owned());
            Some(method.ok_or_else(why)?)
        }
    };
    let Some(method) = method else { return Ok(None) };
    let value = |field: &str| match value(field) {
        "" if field == "account_holder" => of.name,
        text => text,
    };
    payout_details::read(method, &value, of.country).map(Some).map_err(|wrong| {
        let first = wrong.into_iter().next();
        first.map_or((Field::Paid(METHOD), String::new()), |wrong| (Field::Paid(wrong.field), wrong.why))
    })
}

/// The fields of payout details that a file may have.
pub fn fields() -> impl Iterator<Item = Field> {
    std::iter::once(METHOD).chain(FIELDS).map(Field::Paid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IBAN: &str = "DE89 3704 0044 0532 0130 00";

    fn of(import_id: i64) -> Of<'static> {
        Of { import_id, country: "US", name: "Jane" }
    }

    fn file(names: &[&str]) -> Mapping {
        Mapping::from_header(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    fn sealed(mapping: &Mapping, key: &SecretKey, cells: &[&str]) -> Vec<String> {
        let mut sealer = Sealer::new(Keyring::new(std::slice::from_ref(key), None), None, 7, true);
        sealer.columns_of(mapping).unwrap();
        let mut cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
        sealer.seal(&mut cells).unwrap();
        cells
    }

    #[test]
    fn a_row_is_stored_without_its_numbers_and_read_back() {
        let key = SecretKey::draw();
        let mapping = file(&["name", "IBAN", "Account holder", "PayPal e-mail", "note"]);
        let cells = sealed(&mapping, &key, &["Jane", IBAN, "Jane Ng", "", IBAN]);
        assert!(cells.iter().all(|cell| !cell.contains("0440") && !cell.contains("0044")), "{cells:?}");
        assert_eq!(shown(cells[1].clone()), "DE89 •••• 3000");
        assert_eq!(shown(cells[0].clone()), "Jane");
        let read = details(&cells, &mapping, std::slice::from_ref(&key), &of(7)).unwrap().unwrap();
        assert_eq!((read.method(), read.masked()), (Method::Bank, "DE89 •••• 3000".to_owned()));
        let (field, why) = details(&cells, &mapping, &[SecretKey::draw()], &of(7)).unwrap_err();
        assert!(field == Field::Paid("iban") && why.contains("Upload the file again"), "{why}");
        assert!(details(&cells, &mapping, &[key], &of(8)).is_err(), "a cell of another file does not open");
    }

    #[test]
    fn what_is_wrong_names_the_column_and_no_number() {
        let key = SecretKey::draw();
        let mapping = file(&["name", "iban", "account_holder"]);
        let cells = sealed(&mapping, &key, &["Jane", "DE89 3704 0044 0532 0130 01", "Jane"]);
        let (field, why) = details(&cells, &mapping, std::slice::from_ref(&key), &of(7)).unwrap_err();
        assert_eq!(field, Field::Paid("iban"));
        assert!(why.contains("check digits") && !why.contains("0532"), "{why}");
        let none = sealed(&mapping, &key, &["Jane", " ", ""]);
        assert_eq!(details(&none, &mapping, std::slice::from_ref(&key), &of(7)), Ok(None));
        let by_hand = ["Jane".to_owned(), IBAN.to_owned(), "Jane".to_owned()];
        let (_, why) = details(&by_hand, &mapping, &[key], &of(7)).unwrap_err();
        assert!(why.contains("Name the column in the file"), "{why}");
    }

    #[test]
    fn an_account_without_a_holder_is_the_person_s() {
        let key = SecretKey::draw();
        let mapping = file(&["name", "wise_email"]);
        let cells = sealed(&mapping, &key, &["Jane", "jane@example.com"]);
        let read = details(&cells, &mapping, &[key], &of(7)).unwrap().unwrap();
        assert_eq!(read.lines()[0], ("Account holder", "Jane".to_owned()));
    }

    #[test]
    fn a_cell_that_pretends_to_be_sealed_is_a_plain_one() {
        let key = SecretKey::draw();
        let mapping = file(&["name", "note"]);
        let cells = sealed(&mapping, &key, &["Jane\u{1f}1.x.y", "b"]);
        assert_eq!(cells, ["Jane 1.x.y", "b"]);
    }
}
