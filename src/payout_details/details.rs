//! The ways a referrer is paid. These types hold whole account numbers: their `Debug` shows none of them, and only
//! [`Details::masked`] is for pages, answers, exports and the audit.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::mask;
use crate::{places, words};

words! {
    /// The way a referrer is paid.
    pub enum Method {
        Paypal = "paypal",
        Wise = "wise",
        Bank = "bank",
        Hand = "hand",
    }
}

impl Method {
    /// "PayPal", as a heading or in a list.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Paypal => "PayPal",
            Self::Wise => "Wise",
            Self::Bank => "Bank transfer",
            Self::Hand => "By hand",
        }
    }

    /// "by PayPal", within a sentence.
    pub fn within(self) -> String {
        match self {
            Self::Hand => "by hand".to_owned(),
            Self::Bank => "by bank transfer".to_owned(),
            other => format!("by {}", other.title()),
        }
    }
}

/// The way and place to which a referrer's money goes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Details {
    Paypal(PaypalRecipient),
    Wise(WiseRecipient),
    Bank(BankAccount),
    /// Cash, a voucher, credit: the words by which staff know what to do.
    Hand {
        text: String,
    },
}

/// The ways PayPal knows a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaypalRecipient {
    Email(String),
    /// In E.164: "+254722000001".
    Phone(String),
    PayerId(String),
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WiseRecipient {
    /// Wise asks them for their account.
    Email {
        name: String,
        email: String,
    },
    Account(WiseAccount),
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WiseAccount {
    pub name: String,
    pub email: Option<String>,
    /// The currency of the account.
    pub currency: String,
    pub number: WiseNumber,
}

/// The number of an account as Wise takes it, which depends on its currency.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WiseNumber {
    Iban {
        iban: String,
    },
    /// GBP.
    SortCode {
        sort_code: String,
        account_number: String,
    },
    /// AUD.
    Bsb {
        bsb_code: String,
        account_number: String,
    },
    /// USD.
    Aba {
        abartn: String,
        account_number: String,
        account_type: AccountType,
        address: Address,
    },
}

words! {
    /// The kind of an account in the United States.
    pub enum AccountType {
        Checking = "checking",
        Savings = "savings",
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAccount {
    pub holder: String,
    /// The country of the account, ISO 3166 alpha-2.
    pub country: String,
    pub number: AccountNumber,
    /// The holder's home.
    pub address: Option<Address>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountNumber {
    Iban {
        iban: String,
        bic: Option<String>,
    },
    /// Of a country without IBANs, or where people use them rarely.
    Local {
        account: String,
        routing: String,
    },
}

/// Line and postcode may be empty.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub line: String,
    pub town: String,
    pub postcode: String,
    /// ISO 3166 alpha-2.
    pub country: String,
}

impl Details {
    pub fn method(&self) -> Method {
        match self {
            Self::Paypal(_) => Method::Paypal,
            Self::Wise(_) => Method::Wise,
            Self::Bank(_) => Method::Bank,
            Self::Hand { .. } => Method::Hand,
        }
    }

    /// As little of it as tells one account from another: "DE89 •••• 3000", "j•••@example.com".
    pub fn masked(&self) -> String {
        match self {
            Self::Paypal(PaypalRecipient::Email(email)) => mask::email(email),
            Self::Paypal(PaypalRecipient::Phone(phone)) => mask::number(phone),
            Self::Paypal(PaypalRecipient::PayerId(id)) => mask::number(id),
            Self::Wise(WiseRecipient::Email { email, .. }) => mask::email(email),
            Self::Wise(WiseRecipient::Account(account)) => account.number.masked(&account.currency),
            Self::Bank(BankAccount { country, number, .. }) => match number {
                AccountNumber::Iban { iban, .. } => mask::iban(iban),
                AccountNumber::Local { account, .. } => format!("{country} {}", mask::number(account)),
            },
            Self::Hand { .. } => "by hand".to_owned(),
        }
    }
}

impl Details {
    /// The whole, in labelled lines: for those who may pay.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Paypal(PaypalRecipient::Email(email)) => vec![("E-mail address", email.clone())],
            Self::Paypal(PaypalRecipient::Phone(phone)) => vec![("Phone number", phone.clone())],
            Self::Paypal(PaypalRecipient::PayerId(id)) => vec![("Payer ID", id.clone())],
            Self::Wise(WiseRecipient::Email { name, email }) => {
                vec![("Account holder", name.clone()), ("E-mail address", email.clone())]
            }
            Self::Wise(WiseRecipient::Account(account)) => account.lines(),
            Self::Bank(account) => account.lines(),
            Self::Hand { text } => vec![("Instructions", text.clone())],
        }
    }
}

impl WiseAccount {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("Account holder", self.name.clone()), ("Currency", self.currency.clone())];
        lines.extend(self.email.clone().map(|email| ("E-mail address", email)));
        match &self.number {
            WiseNumber::Iban { iban } => lines.push(("IBAN", in_groups(iban))),
            WiseNumber::SortCode { sort_code, account_number } => {
                lines.extend([("Sort code", sort_code.clone()), ("Account number", account_number.clone())]);
            }
            WiseNumber::Bsb { bsb_code, account_number } => {
                lines.extend([("BSB code", bsb_code.clone()), ("Account number", account_number.clone())]);
            }
            WiseNumber::Aba { abartn, account_number, account_type, address } => lines.extend([
                ("Routing number", abartn.clone()),
                ("Account number", account_number.clone()),
                ("Account type", account_type.title().to_owned()),
                ("Address", address.line()),
            ]),
        }
        lines
    }
}

impl BankAccount {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let country = places::country_name(&self.country).to_owned();
        let mut lines = vec![("Account holder", self.holder.clone()), ("Country", country)];
        match &self.number {
            AccountNumber::Iban { iban, bic } => {
                lines.push(("IBAN", in_groups(iban)));
                lines.extend(bic.clone().map(|bic| ("BIC", bic)));
            }
            AccountNumber::Local { account, routing } => {
                lines.extend([("Account number", account.clone()), ("Routing number", routing.clone())]);
            }
        }
        lines.extend(self.address.as_ref().map(|address| ("Address", address.line())));
        lines
    }
}

impl Address {
    fn line(&self) -> String {
        let town = format!("{} {}", self.postcode, self.town);
        let parts = [self.line.as_str(), town.trim(), places::country_name(&self.country)];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

impl AccountType {
    pub const fn title(self) -> &'static str {
        match self {
            Self::Checking => "Checking",
            Self::Savings => "Savings",
        }
    }
}

/// "DE89 3704 0044 …", as banks print it.
fn in_groups(iban: &str) -> String {
    let chars: Vec<char> = iban.chars().collect();
    chars.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

impl WiseNumber {
    fn masked(&self, currency: &str) -> String {
        match self {
            Self::Iban { iban } => mask::iban(iban),
            Self::SortCode { account_number, .. }
            | Self::Bsb { account_number, .. }
            | Self::Aba { account_number, .. } => format!("{currency} {}", mask::number(account_number)),
        }
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Details({} {})", self.method(), self.masked())
    }
}

/// A type that holds a part of somebody's details shows only its name.
macro_rules! without_values {
    ($($name:ident),+ $(,)?) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(•••)"))
            }
        }
    )+};
}

without_values!(PaypalRecipient, WiseRecipient, WiseAccount, WiseNumber, BankAccount, AccountNumber, Address);
