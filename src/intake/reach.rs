//! The e-mail address and the phone number of a row's person.

use crate::email::Email;
use crate::engine::{Contact, Field};
use crate::phone::Phone;

/// An e-mail address and a phone number, where there are any.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    pub email: Option<Email>,
    pub phone: Option<Phone>,
}

impl Reach {
    /// Reads texts that may be empty. A fault names its field, with a sentence without the field's name.
    pub fn read(email: &str, phone: &str, country: &str) -> Result<Self, (Field, String)> {
        let email = given(email).map(self::email).transpose().map_err(|why| (Field::Email, why))?;
        let phone = given(phone).map(|text| Phone::parse(text, country)).transpose();
        let phone = phone.map_err(|why| (Field::Phone, why.to_string()))?;
        Ok(Self { email, phone })
    }

    /// The contact that the person is known by: the address, else the number.
    pub fn key(&self) -> Option<&str> {
        self.email.as_ref().map(Email::key).or(self.phone.as_ref().map(Phone::e164))
    }

    /// Without a name the person is called by the address or the number.
    pub fn contact(&self, name: Option<String>) -> Contact {
        let otherwise = || self.email.as_ref().map(Email::text).or(self.phone.as_ref().map(Phone::text));
        let name = name.unwrap_or_else(|| otherwise().unwrap_or_default().to_owned());
        Contact::new(name, self.email.as_ref(), self.phone.as_ref())
    }
}

pub fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|why| why.to_string())
}

fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
