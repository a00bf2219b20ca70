//! Passwords: Argon2id (19 MiB, two passes: OWASP's floor and the crate's default), never on the
//! threads that serve requests, and only a few at a time so that a flood of sign-ins cannot take the
//! machine's memory.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use argon2::password_hash::Error;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most passwords that are checked at one time.
const AT_ONCE: usize = 2;
/// A sign-in that has waited this long for a permit is asked to come back.
const PATIENCE: Duration = Duration::from_secs(3);
/// NIST SP 800-63B: at least 8; we ask for more since it is the only factor.
const SHORTEST: usize = 10;
const LONGEST: usize = 200;

/// The parts of the passwords that attackers try first, without the digits around them.
const COMMON: [&str; 56] = [
    "abcdefghij",
    "admin",
    "administrator",
    "access",
    "asdfghjkl",
    "baseball",
    "batman",
    "changeme",
    "charlie",
    "computer",
    "correcthorsebatterystaple",
    "default",
    "donald",
    "dragon",
    "football",
    "freedom",
    "guest",
    "hello",
    "iloveyou",
    "internet",
    "jordan",
    "letmein",
    "liverpool",
    "login",
    "master",
    "michael",
    "monkey",
    "mustang",
    "pass",
    "passw0rd",
    "password",
    "passwort",
    "princess",
    "qazwsx",
    "qazwsxedc",
    "qwer",
    "qwert",
    "qwerty",
    "qwertyuiop",
    "qwertz",
    "refdesk",
    "referral",
    "root",
    "secret",
    "shadow",
    "starwars",
    "summer",
    "sunshine",
    "superman",
    "test",
    "trustno",
    "user",
    "welcome",
    "whatever",
    "winter",
    "zxcvbnm",
];

/// More than the 3,000 most common passwords of at least ten characters, in lower case and sorted.
static FREQUENT: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordError {
    TooShort,
    TooLong,
    TooCommon,
    /// Made of what anybody knows about the person: address, name, business.
    TooClose,
}

impl std::fmt::Display for PasswordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooShort => write!(f, "must have at least {SHORTEST} characters"),
            Self::TooLong => write!(f, "must have at most {LONGEST} characters"),
            Self::TooCommon => f.write_str("is one of the first that anybody would try"),
            Self::TooClose => f.write_str("must not be made of your address or the business's name"),
        }
    }
}

impl std::error::Error for PasswordError {}

/// Hashes and checks passwords; cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    /// A hash of nothing, so that an unknown address takes as long as a wrong password.
    nobody: Arc<str>,
}

/// A permit to have a password checked. While one is held, every earlier failure has been counted.
#[derive(Clone)]
pub struct Permit(#[expect(dead_code, reason = "held, never read")] Arc<OwnedSemaphorePermit>);

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    pub fn new() -> Self {
        // The salt and hash of an unused password; its parameters are those of every other hash.
        let nobody =
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$CBJpLkrfJMwP2TRDLRZSAlFEe0BEcx5S4KLNPWKxqf4";
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)), nobody: nobody.into() }
    }

    /// Why a password is refused, if it is.
    pub fn judge(password: &str) -> Result<(), PasswordError> {
        let length = password.chars().count();
        if length < SHORTEST {
            Err(PasswordError::TooShort)
        } else if length > LONGEST {
            Err(PasswordError::TooLong)
        } else if is_frequent(password) || is_common(&bare(password)) || is_monotonous(password) {
            Err(PasswordError::TooCommon)
        } else {
            Ok(())
        }
    }

    /// As [`Self::judge`], for a person of whom an attacker knows these texts.
    pub fn judge_for(password: &str, known: &[&str]) -> Result<(), PasswordError> {
        Self::judge(password)?;
        let parts = known.iter().flat_map(|text| {
            let parts = text.split(['@', ' ', '.', '-', '_']).map(bare);
            parts.chain([bare(text)])
        });
        let mut parts: Vec<String> = parts.filter(|part| part.chars().count() >= 4).collect();
        // The longest first: what is left of it is not hidden by a part of it.
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        let letters: String = password.to_lowercase().chars().filter(|c| c.is_alphabetic()).collect();
        let rest = parts.iter().fold(letters.clone(), |rest, part| rest.replace(part.as_str(), ""));
        let is_close = !letters.is_empty() && rest.is_empty();
        if is_close { Err(PasswordError::TooClose) } else { Ok(()) }
    }

    /// A permit; `None` when the queue is too long.
    pub async fn permit(&self) -> Option<Permit> {
        let permit = tokio::time::timeout(PATIENCE, self.permits.clone().acquire_owned()).await;
        permit.ok()?.ok().map(|permit| Permit(Arc::new(permit)))
    }

    /// A hash to store. `None` only when the machine has no memory or randomness for it.
    pub async fn hash(&self, password: String) -> Option<String> {
        let permit = self.permits.clone().acquire_owned().await.ok()?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            hashed(password.as_bytes()).ok().map(|hash| hash.to_string())
        })
        .await
        .ok()?
    }

    /// True when the password is that of the hash; without a hash, the same work and `false`. The permit
    /// lasts until the work is done, even when the caller has hung up.
    pub async fn verify(&self, permit: &Permit, password: String, hash: Option<String>) -> bool {
        let permit = permit.clone();
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        let checked = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let parsed = PasswordHash::new(&hash);
            parsed.is_ok_and(|hash| is_of(password.as_bytes(), &hash).unwrap_or(false))
        });
        checked.await.unwrap_or(false) && known
    }
}

/// Memory that goes back to the machine when a hash is made. The allocator keeps smaller pieces for each thread that
/// ever made one; a piece of more than 32 MiB it maps by itself and unmaps again, and what is not used of it is
/// never in memory.
struct Memory(Vec<Block>);

const MAPPED: usize = (40 << 20) / Block::SIZE;

impl Memory {
    fn of(argon2: &Argon2<'_>) -> Self {
        let blocks = argon2.params().block_count();
        let mut memory = Vec::with_capacity(blocks.max(MAPPED));
        memory.resize(blocks, Block::new());
        Self(memory)
    }
}

fn derived(argon2: &Argon2<'_>, password: &[u8], salt: &[u8], length: usize) -> Result<Output, Error> {
    let mut buffer = [0_u8; Output::MAX_LENGTH];
    let out = buffer.get_mut(..length).ok_or(Error::OutputSize)?;
    argon2.hash_password_into_with_memory(password, salt, out, Memory::of(argon2).0.as_mut_slice())?;
    Ok(Output::new(out)?)
}

fn hashed(password: &[u8]) -> Result<PasswordHash, Error> {
    let argon2 = Argon2::default();
    let salt = Salt::new(&rand::random::<[u8; 16]>())?;
    let hash = derived(&argon2, password, &salt, Params::DEFAULT_OUTPUT_LEN)?;
    Ok(PasswordHash {
        algorithm: Algorithm::default().ident(),
        version: Some(Version::default().into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(salt),
        hash: Some(hash),
    })
}

/// True when a hash is of this password. Hashes are compared in constant time.
fn is_of(password: &[u8], hash: &PasswordHash) -> Result<bool, Error> {
    let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else { return Ok(false) };
    let algorithm = Algorithm::try_from(hash.algorithm.as_str())?;
    let version = hash.version.map(Version::try_from).transpose()?.unwrap_or_default();
    let argon2 = Argon2::new(algorithm, version, Params::try_from(hash)?);
    Ok(derived(&argon2, password, salt, expected.len())? == *expected)
}

/// Lower case, without what is put around a word to make it long enough: digits, signs, spaces.
fn bare(text: &str) -> String {
    let lower = text.to_lowercase();
    lower.trim_matches(|c: char| !c.is_alphabetic()).chars().filter(|c| !c.is_whitespace()).collect()
}

/// One of the passwords that attackers try first.
fn is_frequent(password: &str) -> bool {
    FREQUENT.contains(password.to_lowercase().as_str())
}

/// One of the well-known words, alone or repeated.
fn is_common(bare: &str) -> bool {
    COMMON.iter().any(|word| bare == *word || (!bare.is_empty() && bare.replace(word, "").is_empty()))
}

/// The same few characters over and over, or a run such as 1234567890.
fn is_monotonous(password: &str) -> bool {
    let chars: Vec<char> = password.to_lowercase().chars().collect();
    let different: std::collections::HashSet<char> = chars.iter().copied().collect();
    let steps = chars.windows(2).filter(|w| (u32::from(w[1])).abs_diff(u32::from(w[0])) <= 1).count();
    // 9 is followed by 0 in the run that everybody types.
    different.len() < 4 || steps + 2 >= chars.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_verifies_against_its_hash_only() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let permit = passwords.permit().await.unwrap();
        assert!(passwords.verify(&permit, "correct horse".into(), Some(hash.clone())).await);
        assert!(!passwords.verify(&permit, "correct horsf".into(), Some(hash)).await);
        assert!(!passwords.verify(&permit, "anything".into(), None).await);
    }

    #[test]
    fn the_stand_in_hash_is_a_hash() {
        assert!(PasswordHash::new(&Passwords::new().nobody).is_ok());
    }

    #[test]
    fn the_most_common_passwords_are_known() {
        assert!(FREQUENT.len() > 3_000 && FREQUENT.iter().all(|one| one.chars().count() >= SHORTEST));
        assert!(FREQUENT.iter().all(|one| Passwords::judge(one) == Err(PasswordError::TooCommon)));
    }

    #[test]
    fn short_and_common_passwords_are_refused() {
        assert_eq!(Passwords::judge("short"), Err(PasswordError::TooShort));
        assert_eq!(Passwords::judge("Password123"), Err(PasswordError::TooCommon));
        for common in [
            "1234567890",
            "aaaaaaaaaaaa",
            "qwerty12345!",
            "letmeinletmein",
            "abcdefghijkl",
            "Summer 2026!",
            "0987654321",
            "unbelievable",
            "Manchester",
            "basketball",
            "q1w2e3r4t5",
        ] {
            assert_eq!(Passwords::judge(common), Err(PasswordError::TooCommon), "{common}");
        }
        for good in ["a good long one", "correct horse battery", "7f3c-9a1e-44d0"] {
            assert_eq!(Passwords::judge(good), Ok(()), "{good}");
        }
        let known = ["jane.njeri@example.com", "Acme Coffee"];
        for close in
            ["Njeri 2026!!", "acmecoffee1", "123 coffee 123", "acmeacmeacme", "AcmeCoffeeAcme1", "njeri-acme-1"]
        {
            assert_eq!(Passwords::judge_for(close, &known), Err(PasswordError::TooClose), "{close}");
        }
        assert_eq!(Passwords::judge_for("coffee at nine", &known), Ok(()));
    }
}
