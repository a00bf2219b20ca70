//! Types that are stored as a word or as an integer: declared once, they bind, decode, print and
//! serialize, so that no code compares a state with a literal or takes one kind of id for another.

use super::{At, Column, DbError, DbResult, Field, Row, Table, Value};
use crate::clock::Day;
use crate::money::Currency;

/// Declares an enum with the word that each variant is stored and shown by.
///
/// A word in the database that is none of them is an error of the read, never a default.
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.word())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let word = <::std::borrow::Cow<'_, str> as ::serde::Deserialize>::deserialize(from)?;
                Self::parse(&word).ok_or_else(|| ::serde::de::Error::custom(word))
            }
        }

        impl From<$name> for $crate::db::Value {
            fn from(value: $name) -> Self {
                value.word().into()
            }
        }

        impl $crate::db::Field for $name {
            fn put(&self, table: &mut $crate::db::Table) {
                self.word().put(table);
            }
        }

        impl $crate::db::Column for $name {
            fn at(at: $crate::db::At, row: &$crate::db::Row<'_>) -> $crate::db::DbResult<Self> {
                let word: String = $crate::db::Column::at(at, row)?;
                Self::parse(&word).ok_or_else(|| $crate::db::unknown_word(stringify!($name), &word))
            }
        }

        impl $crate::db::Column for Option<$name> {
            fn at(at: $crate::db::At, row: &$crate::db::Row<'_>) -> $crate::db::DbResult<Self> {
                let word: Option<String> = $crate::db::Column::at(at, row)?;
                let parsed = |word: String| {
                    $name::parse(&word).ok_or_else(|| $crate::db::unknown_word(stringify!($name), &word))
                };
                word.map(parsed).transpose()
            }
        }
    };
}

/// Says which word of which type the database holds that this version does not know.
pub fn unknown_word(name: &str, word: &str) -> DbError {
    DbError::Fault(format!("the database holds {word:?}, which is no {name}"))
}

/// Declares a type per kind of id, stored as the integer it wraps.
#[macro_export]
macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub i64);

        impl From<i64> for $name {
            fn from(id: i64) -> Self {
                Self(id)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_i64(self.0)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                <i64 as ::serde::Deserialize>::deserialize(from).map(Self)
            }
        }

        impl From<$name> for $crate::db::Value {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl $crate::db::Field for $name {
            fn put(&self, table: &mut $crate::db::Table) {
                self.0.put(table);
            }
        }

        impl $crate::db::Column for $name {
            fn at(at: $crate::db::At, row: &$crate::db::Row<'_>) -> $crate::db::DbResult<Self> {
                <i64 as $crate::db::Column>::at(at, row).map(Self)
            }
        }

        impl $crate::db::Column for Option<$name> {
            fn at(at: $crate::db::At, row: &$crate::db::Row<'_>) -> $crate::db::DbResult<Self> {
                let id: Option<i64> = $crate::db::Column::at(at, row)?;
                Ok(id.map($name))
            }
        }
    )+};
}

/// A value type that is stored as text and read strictly: a text that it refuses is an error of the read.
macro_rules! stored_as_text {
    ($($ty:ty => $parse:expr;)+) => {$(
        impl Column for $ty {
            fn at(at: At, row: &Row<'_>) -> DbResult<Self> {
                let text = String::at(at, row)?;
                $parse(&text).map_err(|why| unfit(&text, &why))
            }
        }

        impl Column for Option<$ty> {
            fn at(at: At, row: &Row<'_>) -> DbResult<Self> {
                let text = Option::<String>::at(at, row)?;
                text.map(|text| $parse(&text).map_err(|why| unfit(&text, &why))).transpose()
            }
        }
    )+};
}

fn unfit(text: &str, why: &dyn std::fmt::Display) -> DbError {
    DbError::Fault(format!("the database holds {text:?}, which {why}"))
}

stored_as_text! {
    Currency => Currency::parse;
    Day => Day::parse;
}

impl Field for Currency {
    fn put(&self, table: &mut Table) {
        self.code().put(table);
    }
}

impl From<Currency> for Value {
    fn from(currency: Currency) -> Self {
        currency.code().into()
    }
}
