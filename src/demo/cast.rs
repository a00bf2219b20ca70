//! The people of the demo.

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
