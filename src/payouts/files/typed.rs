//! Settings as people type them: the fields of the form and of `/v1`, read into a [`Payer`], and back.

use super::column::Column;
use super::format::Format;
use super::marks::{DecimalMark, Delimiter};
use super::payer::{Payer, PaypalFile, TableFile};
use super::problem::{Field, Problem};
use super::sepa::{SepaFile, WithoutBic};
use super::wise::{Fixed, Template, WiseFile};
use crate::payout_details::{Address, iban};
use crate::places;

/// Reads the settings of a format from the texts of their fields; an empty one has its usual value. `has_account` is
/// true where an account that pays is stored: it may be left out, and stays.
///
/// # Errors
/// Every field that cannot be taken.
pub fn read<'t>(format: Format, has_account: bool, value: &dyn Fn(&str) -> &'t str) -> Result<Payer, Vec<Problem>> {
    let mut fields = Fields { value, wrong: Vec::new() };
    let payer = match format {
        Format::Paypal => {
            let usual = PaypalFile::default();
            Payer::Paypal(PaypalFile { decimal: fields.word(Field::Decimal, usual.decimal, DecimalMark::parse) })
        }
        Format::Csv => Payer::Csv(fields.table()),
        Format::Xlsx => Payer::Xlsx(fields.table()),
        Format::Sepa => Payer::Sepa(Box::new(fields.sepa())),
        Format::Wise => match fields.wise() {
            Some(wise) => Payer::Wise(wise),
            None => return Err(fields.wrong),
        },
    };
    let stays = has_account && fields.typed(Field::PayerIban).is_empty();
    let mut wrong = fields.wrong;
    let asked = |problem: &Problem| match problem.field {
        // The saved recipients of Wise come by a file of their own.
        Field::SavedRecipients => false,
        Field::PayerIban => !stays,
        _ => true,
    };
    wrong.extend(payer.problems().into_iter().filter(asked));
    if wrong.is_empty() { Ok(payer) } else { Err(wrong) }
}

/// The settings as the texts of their fields.
pub fn texts(payer: &Payer) -> Vec<(Field, String)> {
    match payer {
        Payer::Paypal(paypal) => vec![(Field::Decimal, paypal.decimal.to_string())],
        Payer::Csv(table) | Payer::Xlsx(table) => vec![
            (Field::Columns, table.columns.iter().map(|column| column.word()).collect::<Vec<_>>().join("\n")),
            (Field::Delimiter, table.delimiter.to_string()),
            (Field::Decimal, table.decimal.to_string()),
        ],
        Payer::Wise(wise) => {
            vec![(Field::SourceCurrency, wise.source.code().to_owned()), (Field::Fixed, wise.fixed.to_string())]
        }
        Payer::Sepa(sepa) => {
            let address = sepa.address.clone().unwrap_or_default();
            vec![
                (Field::PayerName, sepa.name.clone()),
                (Field::PayerIban, iban::grouped(&sepa.iban)),
                (Field::PayerBic, sepa.bic.clone().unwrap_or_default()),
                (Field::PayerAddressLine, address.line),
                (Field::PayerPostcode, address.postcode),
                (Field::PayerTown, address.town),
                (Field::PayerCountry, address.country),
                (Field::BatchBooking, if sepa.batch_booking { "yes" } else { "no" }.to_owned()),
                (Field::WithoutBic, sepa.without_bic.to_string()),
                (Field::RowsPerFile, sepa.rows_per_file.to_string()),
            ]
        }
    }
}

struct Fields<'f, 't> {
    value: &'f dyn Fn(&str) -> &'t str,
    wrong: Vec<Problem>,
}

impl<'t> Fields<'_, 't> {
    fn typed(&self, field: Field) -> &'t str {
        (self.value)(field.word()).trim()
    }

    fn fail(&mut self, field: Field, reason: String) {
        self.wrong.push(Problem::new(field, reason));
    }

    /// One of some words.
    fn word<T>(&mut self, field: Field, usual: T, parse: impl Fn(&str) -> Option<T>) -> T {
        let typed = self.typed(field);
        if typed.is_empty() {
            return usual;
        }
        parse(typed).unwrap_or_else(|| {
            self.fail(field, format!("“{typed}” is none of the choices."));
            usual
        })
    }

    fn table(&mut self) -> TableFile {
        let usual = TableFile::default();
        let names = self.typed(Field::Columns).split([',', '\n', '\r']).map(str::trim).filter(|name| !name.is_empty());
        let mut columns = Vec::new();
        for name in names {
            match Column::parse(&name.to_lowercase().replace([' ', '-'], "_")) {
                Some(column) => columns.push(column),
                None => self.fail(Field::Columns, format!("There is no column “{name}”.")),
            }
        }
        TableFile {
            columns: if columns.is_empty() { usual.columns } else { columns },
            delimiter: self.word(Field::Delimiter, usual.delimiter, Delimiter::parse),
            decimal: self.word(Field::Decimal, usual.decimal, DecimalMark::parse),
        }
    }

    fn wise(&mut self) -> Option<WiseFile> {
        let typed = self.typed(Field::SourceCurrency);
        let fixed = self.word(Field::Fixed, Fixed::Target, Fixed::parse);
        let source = places::currency(typed);
        if source.is_none() {
            let reason = match typed {
                "" => "Choose the currency that you pay from at Wise.".to_owned(),
                _ => format!("“{typed}” is no currency."),
            };
            self.fail(Field::SourceCurrency, reason);
        }
        Some(WiseFile { source: source?, template: Template::Email, fixed, saved: Vec::new() })
    }

    fn sepa(&mut self) -> SepaFile {
        let usual = SepaFile::default();
        let text = |field| Some(self.typed(field)).filter(|text| !text.is_empty());
        let (name, bic) = (text(Field::PayerName).unwrap_or_default(), text(Field::PayerBic));
        let number = self.typed(Field::PayerIban);
        let number = iban::iban(number).unwrap_or_else(|_| number.to_owned());
        let [line, postcode, town] =
            [Field::PayerAddressLine, Field::PayerPostcode, Field::PayerTown].map(|field| self.typed(field).to_owned());
        let country = self.typed(Field::PayerCountry);
        let country = match places::country(country) {
            Some(country) => country.code.to_owned(),
            None if country.is_empty() => String::new(),
            None => {
                self.fail(Field::PayerCountry, format!("“{country}” is no country."));
                String::new()
            }
        };
        let any = [&line, &postcode, &town, &country].iter().any(|part| !part.is_empty());
        let rows = self.typed(Field::RowsPerFile).replace(',', "");
        let rows_per_file = if rows.is_empty() {
            usual.rows_per_file
        } else {
            // 0 is refused with the bounds.
            rows.parse().unwrap_or(0)
        };
        SepaFile {
            name: name.to_owned(),
            iban: number,
            bic: bic.map(|bic| iban::bic(bic).unwrap_or_else(|_| bic.to_owned())),
            address: any.then_some(Address { line, postcode, town, country }),
            batch_booking: self.word(Field::BatchBooking, usual.batch_booking, yes_or_no),
            without_bic: self.word(Field::WithoutBic, usual.without_bic, WithoutBic::parse),
            rows_per_file,
        }
    }
}

fn yes_or_no(word: &str) -> Option<bool> {
    match word {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(format: Format, fields: &[(&str, &str)]) -> Result<Payer, Vec<Problem>> {
        let fields: Vec<(String, String)> = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        read(format, false, &|name| {
            fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.as_str())
        })
    }

    const SEPA: [(&str, &str); 2] = [("payer_name", "Acme GmbH"), ("payer_iban", "de89 3704 0044 0532 0130 00")];

    #[test]
    fn what_was_typed_comes_back() {
        let address = [("payer_town", "Köln"), ("payer_country", "Germany"), ("payer_address_line", "Domplatz 1")];
        for (format, fields) in [
            (Format::Paypal, vec![("decimal", "comma")]),
            (Format::Csv, vec![("columns", "line, Amount\nIBAN"), ("delimiter", "semicolon")]),
            (Format::Xlsx, vec![]),
            (Format::Wise, vec![("source_currency", "eur"), ("fixed", "source")]),
            (Format::Sepa, SEPA.into_iter().chain(address).chain([("rows_per_file", "5,000")]).collect()),
        ] {
            let payer = reading(format, &fields).expect("it is taken");
            let texts = texts(&payer);
            let texts: Vec<(&str, &str)> = texts.iter().map(|(field, text)| (field.word(), text.as_str())).collect();
            assert_eq!(reading(format, &texts), Ok(payer));
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let wrong = |format, fields: &[(&str, &str)]| -> Vec<Field> {
            reading(format, fields).expect_err("it is refused").into_iter().map(|problem| problem.field).collect()
        };
        assert_eq!(wrong(Format::Csv, &[("columns", "name")]), [Field::Columns]);
        assert_eq!(wrong(Format::Csv, &[("columns", "amount\namount\nshoe size")]), [Field::Columns, Field::Columns]);
        assert_eq!(wrong(Format::Wise, &[("fixed", "both")]), [Field::Fixed, Field::SourceCurrency]);
        let sepa = [("payer_name", "§"), ("payer_iban", "DE00"), ("rows_per_file", "x"), ("payer_country", "Narnia")];
        let named = wrong(Format::Sepa, &sepa);
        for field in [Field::PayerIban, Field::RowsPerFile, Field::PayerCountry] {
            assert!(named.contains(&field), "{field} in {named:?}");
        }
        let without_town = [SEPA[0], SEPA[1], ("payer_country", "DE")];
        assert_eq!(wrong(Format::Sepa, &without_town), [Field::PayerTown]);
    }
}
