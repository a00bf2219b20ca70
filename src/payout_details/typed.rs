//! Details as people type them: the fields of the form, of a file's columns and of `/v1`, read into [`Details`].

use super::details::{
    AccountNumber, AccountType, Address, BankAccount, Details, Method, PaypalRecipient, WiseAccount, WiseNumber,
    WiseRecipient,
};
use super::iban;
use crate::email::Email;
use crate::money::Currency;
use crate::phone::Phone;
use crate::{places, text};

/// Every field that details may have; each method reads its own.
pub const FIELDS: [&str; 19] = [
    "paypal_email",
    "paypal_phone",
    "paypal_payer_id",
    "wise_email",
    "wise_currency",
    "account_holder",
    "iban",
    "bic",
    "bank_country",
    "account_number",
    "routing_number",
    "sort_code",
    "bsb_code",
    "account_type",
    "address_line",
    "town",
    "postcode",
    "address_country",
    "instructions",
];

/// A field that cannot be taken, and why. The sentence shows no whole number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub field: &'static str,
    pub why: String,
}

/// Reads the details of a method from the texts of their fields; `country` is the business's, in which phone numbers
/// are read.
///
/// # Errors
/// Every field that cannot be taken.
pub fn read<'t>(method: Method, value: &dyn Fn(&str) -> &'t str, country: &str) -> Result<Details, Vec<Wrong>> {
    let mut fields = Fields { value, country, wrong: Vec::new() };
    let read = match method {
        Method::Paypal => fields.paypal().map(Details::Paypal),
        Method::Wise => fields.wise().map(Details::Wise),
        Method::Bank => fields.bank().map(Details::Bank),
        Method::Hand => {
            fields.text("instructions", "The text of the instructions", 500).map(|text| Details::Hand { text })
        }
    };
    match read {
        Some(details) if fields.wrong.is_empty() => Ok(details),
        _ => Err(fields.wrong),
    }
}

/// The method that fields are of, where nobody says it: the first that has one of its own.
pub fn method_of<'t>(value: &dyn Fn(&str) -> &'t str) -> Option<Method> {
    let any = |names: &[&str]| names.iter().any(|name| !value(name).trim().is_empty());
    if any(&["paypal_email", "paypal_phone", "paypal_payer_id"]) {
        Some(Method::Paypal)
    } else if any(&["wise_email", "wise_currency"]) {
        Some(Method::Wise)
    } else if any(&["iban", "bic", "account_number", "routing_number", "account_holder", "bank_country"]) {
        Some(Method::Bank)
    } else {
        any(&["instructions"]).then_some(Method::Hand)
    }
}

struct Fields<'f, 't> {
    value: &'f dyn Fn(&str) -> &'t str,
    country: &'f str,
    wrong: Vec<Wrong>,
}

impl<'t> Fields<'_, 't> {
    fn typed(&self, field: &'static str) -> &'t str {
        (self.value)(field).trim()
    }

    fn is_empty(&self, field: &'static str) -> bool {
        self.typed(field).is_empty()
    }

    fn fail<T>(&mut self, field: &'static str, why: impl Into<String>) -> Option<T> {
        self.wrong.push(Wrong { field, why: why.into() });
        None
    }

    fn line(&mut self, field: &'static str, label: &str, most: usize) -> Option<String> {
        let read = text::line(self.typed(field), most);
        self.there(field, label, read)
    }

    fn text(&mut self, field: &'static str, label: &str, most: usize) -> Option<String> {
        let read = text::clean(self.typed(field), most);
        self.there(field, label, read)
    }

    fn there(&mut self, field: &'static str, label: &str, read: Result<String, text::TextError>) -> Option<String> {
        match read {
            Ok(text) if text.is_empty() => self.fail(field, format!("{label} is missing.")),
            Ok(text) => Some(text),
            Err(why) => self.fail(field, format!("{label} {why}.")),
        }
    }

    fn email(&mut self, field: &'static str, label: &str) -> Option<String> {
        if self.is_empty(field) {
            return self.fail(field, format!("{label} is missing."));
        }
        match Email::parse(self.typed(field)) {
            Ok(email) => Some(email.text().to_owned()),
            Err(why) => self.fail(field, why.sentence()),
        }
    }

    /// A number of digits only, which people write with spaces and hyphens.
    fn digits(&mut self, field: &'static str, label: &str, least: usize, most: usize) -> Option<String> {
        if self.is_empty(field) {
            return self.fail(field, format!("{label} is missing."));
        }
        let digits: String = self
            .typed(field)
            .chars()
            .filter(|c| !c.is_whitespace() && !crate::fold::is_dash(*c) && *c != '-')
            .collect();
        let is_right = (least..=most).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if is_right {
            return Some(digits);
        }
        let count = if least == most { least.to_string() } else { format!("{least} to {most}") };
        self.fail(field, format!("{label} has {count} digits."))
    }

    fn paypal(&mut self) -> Option<PaypalRecipient> {
        let has = |field| !self.is_empty(field);
        match (has("paypal_email"), has("paypal_phone"), has("paypal_payer_id")) {
            (false, false, false) => self.fail("paypal_email", "The e-mail address of the PayPal account is missing."),
            (true, false, false) => self.email("paypal_email", "The e-mail address").map(PaypalRecipient::Email),
            (false, true, false) => match Phone::parse(self.typed("paypal_phone"), self.country) {
                Ok(phone) => Some(PaypalRecipient::Phone(phone.e164().to_owned())),
                Err(why) => self.fail("paypal_phone", why.sentence(self.country)),
            },
            (false, false, true) => {
                let id = self.typed("paypal_payer_id").to_ascii_uppercase();
                if id.len() == 13 && id.bytes().all(|b| b.is_ascii_alphanumeric()) {
                    return Some(PaypalRecipient::PayerId(id));
                }
                self.fail("paypal_payer_id", "A PayPal payer ID has 13 letters and digits.")
            }
            (email, phone, _) => {
                let second = if email && phone { "paypal_phone" } else { "paypal_payer_id" };
                self.fail(
                    second,
                    "PayPal needs one of e-mail address, phone number and payer ID: leave the others empty.",
                )
            }
        }
    }

    fn wise(&mut self) -> Option<WiseRecipient> {
        let name = self.line("account_holder", "The name of the account holder", 140);
        if self.is_empty("wise_currency") {
            let email = self.email("wise_email", "The e-mail address");
            return Some(WiseRecipient::Email { name: name?, email: email? });
        }
        let email = if self.is_empty("wise_email") {
            Some(None)
        } else {
            self.email("wise_email", "The e-mail address").map(Some)
        };
        let Some(currency) = places::currency(self.typed("wise_currency")) else {
            return self.fail("wise_currency", "The currency is not known. Write its code, such as EUR.");
        };
        let number = self.wise_number(currency.code());
        Some(WiseRecipient::Account(WiseAccount {
            name: name?,
            email: email?,
            currency: currency.code().to_owned(),
            number: number?,
        }))
    }

    fn wise_number(&mut self, currency: &str) -> Option<WiseNumber> {
        match currency {
            "GBP" => {
                let sort_code = self.digits("sort_code", "A sort code", 6, 6);
                let account_number = self.digits("account_number", "An account number of the United Kingdom", 8, 8);
                Some(WiseNumber::SortCode { sort_code: sort_code?, account_number: account_number? })
            }
            "AUD" => {
                let bsb_code = self.digits("bsb_code", "A BSB code", 6, 6);
                let account_number = self.digits("account_number", "An account number of Australia", 5, 9);
                Some(WiseNumber::Bsb { bsb_code: bsb_code?, account_number: account_number? })
            }
            "USD" => {
                let abartn = self.aba();
                let account_number = self.digits("account_number", "An account number of the United States", 4, 17);
                let account_type = AccountType::parse(&self.typed("account_type").to_ascii_lowercase());
                if account_type.is_none() {
                    self.wrong.push(Wrong { field: "account_type", why: "The account type is checking or savings.".into() });
                }
                let address = self.address("US", true);
                Some(WiseNumber::Aba {
                    abartn: abartn?,
                    account_number: account_number?,
                    account_type: account_type?,
                    address: address??,
                })
            }
            _ if !is_of_ibans(currency) => self.fail(
                "wise_currency",
                format!("Accounts in {currency} are not taken here. Leave the currency empty: Wise asks for the account by e-mail."),
            ),
            _ => self.iban().map(|iban| WiseNumber::Iban { iban }),
        }
    }

    fn iban(&mut self) -> Option<String> {
        if self.is_empty("iban") {
            return self.fail("iban", "The IBAN is missing.");
        }
        match iban::iban(self.typed("iban")) {
            Ok(iban) => Some(iban),
            Err(why) => self.fail("iban", why.to_string()),
        }
    }

    /// The routing number of a bank of the United States, whose last digit checks the others.
    fn aba(&mut self) -> Option<String> {
        let digits = self.digits("routing_number", "A routing number of the United States", 9, 9)?;
        let sum: u32 =
            digits.chars().zip([3, 7, 1].into_iter().cycle()).filter_map(|(c, by)| Some(c.to_digit(10)? * by)).sum();
        if sum.is_multiple_of(10) {
            Some(digits)
        } else {
            self.fail("routing_number", "The last digit of this routing number does not fit the others.")
        }
    }

    fn bank(&mut self) -> Option<BankAccount> {
        let holder = self.line("account_holder", "The name of the account holder", 140);
        let country = match self.typed("bank_country") {
            "" => Some(None),
            typed => match places::country(typed) {
                Some(country) => Some(Some(country.code)),
                None => self.fail(
                    "bank_country",
                    "The country is not known. Write its name or its letters, such as Kenya or KE.",
                ),
            },
        };
        let by_iban = !self.is_empty("iban") || self.is_empty("account_number");
        let number = if by_iban { self.iban_account(country.flatten()) } else { self.local_account(country.flatten()) };
        let (account_country, number) = number?;
        let address = self.address(&account_country, false)?;
        country?;
        Some(BankAccount { holder: holder?, country: account_country, number, address })
    }

    fn iban_account(&mut self, country: Option<&str>) -> Option<(String, AccountNumber)> {
        if self.is_empty("iban") && country.is_some_and(|country| !iban::has_ibans(country)) {
            return self.fail("account_number", "The account number is missing.");
        }
        if !self.is_empty("account_number") {
            return self.fail("account_number", "An account has an IBAN or an account number: leave one empty.");
        }
        let bic = match self.typed("bic") {
            "" => Some(None),
            typed => match iban::bic(typed) {
                Ok(bic) => Some(Some(bic)),
                Err(why) => self.fail("bic", why.to_string()),
            },
        };
        let number = self.iban()?;
        let of_number = number.get(..2).unwrap_or_default().to_owned();
        if let Some(country) = country.filter(|country| *country != of_number && !is_part(country, &of_number)) {
            let (said, is) = (places::country_name(country), places::country_name(&of_number));
            return self.fail("bank_country", format!("The country is {said}, but the IBAN is of {is}."));
        }
        Some((of_number, AccountNumber::Iban { iban: number, bic: bic? }))
    }

    fn local_account(&mut self, country: Option<&str>) -> Option<(String, AccountNumber)> {
        let Some(country) = country else {
            return self.fail("bank_country", "The country of the account is missing.");
        };
        // Banks of SEPA take nothing else; in the United Kingdom people use their sort code.
        if iban::is_sepa(country) && country != "GB" {
            let name = places::country_name(country);
            return self.fail("iban", format!("An account in {name} has an IBAN: fill that in."));
        }
        let (account, routing) = match country {
            "US" => (self.digits("account_number", "An account number of the United States", 4, 17), self.aba()),
            "GB" => (
                self.digits("account_number", "An account number of the United Kingdom", 8, 8),
                self.digits("routing_number", "A sort code", 6, 6),
            ),
            _ => (
                self.plain("account_number", "The account number"),
                self.plain("routing_number", "The routing number, or the code of bank and branch,"),
            ),
        };
        Some((country.to_owned(), AccountNumber::Local { account: account?, routing: routing? }))
    }

    /// A number of letters, digits and what stands between them.
    fn plain(&mut self, field: &'static str, label: &str) -> Option<String> {
        let line = self.line(field, label, 40)?.to_ascii_uppercase();
        let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '/' | '.');
        if line.chars().all(is_fine) && line.contains(|c: char| c.is_ascii_digit()) {
            return Some(line.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        self.fail(field, format!("{label} must be letters and digits."))
    }

    /// `Some(None)` is no address, which may be; `None` an address with a fault.
    #[expect(clippy::option_option, reason = "no address and a wrong address are different answers")]
    fn address(&mut self, country: &str, needed: bool) -> Option<Option<Address>> {
        let any = ["address_line", "town", "postcode", "address_country"].iter().any(|field| !self.is_empty(field));
        if !any && !needed {
            return Some(None);
        }
        let town = self.line("town", "The town of the address", 35);
        let (line, postcode) = if needed {
            (
                self.line("address_line", "The street of the address", 70),
                self.line("postcode", "The postcode of the address", 16),
            )
        } else {
            (
                self.optional("address_line", "The street of the address", 70),
                self.optional("postcode", "The postcode of the address", 16),
            )
        };
        let country =
            match self.typed("address_country") {
                "" => country.to_owned(),
                typed => match places::country(typed) {
                    Some(country) => country.code.to_owned(),
                    None => return self.fail(
                        "address_country",
                        "The country of the address is not known. Write its name or its letters, such as Kenya or KE.",
                    ),
                },
            };
        Some(Some(Address { line: line?, town: town?, postcode: postcode?, country }))
    }

    fn optional(&mut self, field: &'static str, label: &str, most: usize) -> Option<String> {
        if self.is_empty(field) { Some(String::new()) } else { self.line(field, label, most) }
    }
}

/// The currencies in which Wise takes the number of an account: those it takes most first.
pub fn currencies() -> Vec<Currency> {
    let first: Vec<Currency> =
        ["EUR", "GBP", "USD", "AUD"].into_iter().filter_map(|c| Currency::parse(c).ok()).collect();
    let others = places::currencies().into_iter().filter(|c| is_of_ibans(c.code()) && !first.contains(c));
    first.iter().copied().chain(others).collect()
}

/// True for a currency of a country whose accounts have IBANs.
fn is_of_ibans(currency: &str) -> bool {
    places::countries().iter().any(|country| country.currency == currency && iban::has_ibans(country.code))
}

/// True for a territory whose accounts have the IBANs of another country.
fn is_part(territory: &str, of: &str) -> bool {
    match of {
        "FR" => matches!(territory, "BL" | "GF" | "GP" | "MF" | "MQ" | "NC" | "PF" | "PM" | "RE" | "TF" | "WF" | "YT"),
        "GB" => matches!(territory, "GG" | "IM" | "JE"),
        "FI" => territory == "AX",
        _ => false,
    }
}

#[cfg(test)]
mod tests;
