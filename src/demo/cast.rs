//! The people of the demo.

use crate::payout_details::Method;

pub const REFERRERS: [(&str, &str); 30] = [
    ("Jane Njeri", "Njeri & Daughters"),
    ("Tom Ashworth", ""),
    ("Priya Raman", "Quayside Yoga"),
    ("Lucía Ortega", ""),
    ("Owen Pritchard", "Pritchard Cycles"),
    ("Amina Yusuf", ""),
    ("Kenji Mori", "Mori Design"),
    ("Sophie Laurent", ""),
    ("Daniel Okafor", "Tidewater Books"),
    ("Hannah Weiss", ""),
    ("Rui Carvalho", ""),
    ("Grace Mbeki", "Lantern Theatre"),
    ("Callum Fraser", ""),
    ("Ingrid Solberg", "Nordlys Bakery"),
    ("Marek Nowak", ""),
    ("Fatima Zahra", ""),
    ("Elliot Park", "Park Physio"),
    ("Noor Haddad", ""),
    ("Beatrice Conti", ""),
    ("Samuel Achebe", "Achebe Law"),
    ("Yuki Tanaka", ""),
    ("Rosa Delgado", "Casa Delgado"),
    ("Patrick O'Neill", ""),
    ("Leila Rahimi", ""),
    ("Viktor Lindqvist", ""),
    ("Chloe Bennett", "Bennett Florists"),
    ("Mohammed Rashid", ""),
    ("Anya Petrova", ""),
    ("George Mensah", ""),
    ("Isabelle Moreau-Kowalczyk", "The Very Long Name Trading Company of Portsmouth"),
];

const FIRST: [&str; 24] = [
    "Alice", "Ben", "Chidi", "Dora", "Ewan", "Farah", "Gita", "Hugo", "Iris", "Jamal", "Kira", "Liam", "Maya", "Nils",
    "Olga", "Pablo", "Quinn", "Rosie", "Stefan", "Tara", "Umar", "Vera", "Will", "Zoe",
];

const LAST: [&str; 20] = [
    "Adams", "Blake", "Costa", "Dunn", "Eze", "Fischer", "Green", "Hart", "Ibrahim", "Jones", "Kaur", "Lowe", "Murray",
    "Nash", "Owens", "Perez", "Reid", "Shaw", "Turner", "Wood",
];

const COMPANIES: [&str; 5] = ["Bluebell Dental", "Cobalt Studio", "Fernhill School", "Marlin Marine", "Oak & Iron"];

/// The n-th customer: name and address, never the same twice.
pub fn person(n: usize) -> (String, String) {
    let first = FIRST[n % FIRST.len()];
    let last = LAST[(n / FIRST.len() + n * 7) % LAST.len()];
    (format!("{first} {last}"), format!("{}.{}{n}@example.net", first.to_lowercase(), last.to_lowercase()))
}

pub fn company(n: usize) -> Option<&'static str> {
    (n % 4 == 1).then(|| COMPANIES[n / 4 % COMPANIES.len()])
}

/// Numbers that banks print as examples.
const IBANS: [&str; 6] = [
    "GB29NWBK60161331926819",
    "NL91ABNA0417164300",
    "DE89370400440532013000",
    "FR1420041010050500013M02606",
    "BE68539007547034",
    "NO9386011117947",
];

/// The way the n-th referrer is paid, and the one field that it needs beside the name; of some it is not known.
pub fn paid(n: usize, email: &str) -> Option<(Method, &'static str, String)> {
    match n % 5 {
        _ if n == 11 => Some((Method::Hand, "instructions", "Credit for the coffee subscription.".to_owned())),
        0 | 4 => Some((Method::Bank, "iban", IBANS[(n / 2) % IBANS.len()].to_owned())),
        1 => Some((Method::Paypal, "paypal_email", email.to_owned())),
        2 => Some((Method::Wise, "wise_email", email.to_owned())),
        _ => None,
    }
}
