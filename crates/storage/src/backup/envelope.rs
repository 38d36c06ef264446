//! The envelope of a backup: encrypted as a whole, in pieces, so that it can be
//! written and read as a stream and no byte of it can be changed, moved or cut
//! off unnoticed.
//!
//! | bytes | what |
//! |---|---|
//! | 14 | `MUSTER-BACKUP\n` |
//! | 2 | format of the file, little-endian |
//! | 32 | salt: with the master key it gives the key of this file |
//! | 16 | check: tells another key from a damaged file |
//! | then | pieces of 256 KiB, each XChaCha20-Poly1305 with its tag of 16 bytes |
//!
//! The nonce of a piece is its number and whether it is the last (the STREAM
//! construction of Hoang, Reyhanitabar, Rogaway and Vizár); what stands before
//! the pieces is associated data of each.

use std::io::{self, Read, Write};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::error::BackupError;
use crate::entropy::Entropy;
use crate::seal::MasterKey;

const MAGIC: &[u8; 14] = b"MUSTER-BACKUP\n";
/// The only format there is so far.
const FORMAT: u16 = 1;
const SALT: usize = 32;
const CHECK: usize = 16;
const HEADER: usize = MAGIC.len() + 2 + SALT + CHECK;
/// Plain bytes of a piece; a tag of 16 bytes comes with each.
const PIECE: usize = 256 * 1024;
const TAG: usize = 16;

/// What the pieces are sealed with.
struct PieceKey {
    cipher: XChaCha20Poly1305,
    header: [u8; HEADER],
}

impl PieceKey {
    /// The key and the check of a file with this salt.
    fn of(master: &MasterKey, salt: &[u8; SALT]) -> Self {
        let mut material = Zeroizing::new([0_u8; 64]);
        let (left, right) = material.split_at_mut(32);
        left.copy_from_slice(master.key().bytes());
        right.copy_from_slice(salt);
        let key = Zeroizing::new(blake3::derive_key(
            "Muster backup file: key of the pieces",
            material.as_slice(),
        ));
        let check = blake3::derive_key("Muster backup file: check of the key", material.as_slice());
        let mut header = [0_u8; HEADER];
        let mut rest = header.as_mut_slice();
        // The parts are as long as the header.
        let _ = rest.write_all(MAGIC);
        let _ = rest.write_all(&FORMAT.to_le_bytes());
        let _ = rest.write_all(salt);
        let _ = rest.write_all(check.get(..CHECK).unwrap_or_default());
        Self {
            cipher: XChaCha20Poly1305::new(&chacha20poly1305::Key::from(*key)),
            header,
        }
    }

    fn nonce(number: u64, last: bool) -> XNonce {
        let mut nonce = [0_u8; 24];
        let mut rest = nonce.as_mut_slice();
        let _ = rest.write_all(&number.to_be_bytes());
        let _ = rest.write_all(&[u8::from(last)]);
        XNonce::from(nonce)
    }
}

/// Writes an envelope. Without [`Sealer::finish`] it has no end and does not open.
pub(crate) struct Sealer<W> {
    inner: W,
    key: PieceKey,
    plain: Zeroizing<Vec<u8>>,
    number: u64,
}

impl<W: Write> Sealer<W> {
    /// Writes what stands before the pieces.
    pub(crate) fn begin(
        mut inner: W,
        master: &MasterKey,
        entropy: &dyn Entropy,
    ) -> io::Result<Self> {
        let mut salt = [0; SALT];
        entropy.fill(&mut salt);
        let key = PieceKey::of(master, &salt);
        inner.write_all(&key.header)?;
        Ok(Self {
            inner,
            key,
            plain: Zeroizing::new(Vec::with_capacity(PIECE)),
            number: 0,
        })
    }

    /// Writes the last piece.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        let payload = Payload {
            msg: &self.plain,
            aad: &self.key.header,
        };
        let sealed = self
            .key
            .cipher
            .encrypt(&PieceKey::nonce(self.number, last), payload)
            .map_err(|_| io::Error::other("a piece could not be sealed"))?;
        self.inner.write_all(&sealed)?;
        self.number += 1;
        self.plain.clear();
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full piece is sealed when more comes, so that the last one is known as the last.
        if self.plain.len() == PIECE {
            self.seal(false)?;
        }
        let taken = bytes.len().min(PIECE - self.plain.len());
        self.plain
            .extend_from_slice(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads an envelope. Its end is believed only when the last piece opened as the last.
pub(crate) struct Opener<R> {
    inner: R,
    key: PieceKey,
    plain: Zeroizing<Vec<u8>>,
    taken: usize,
    /// The sealed piece that comes next; empty after the last.
    next: Vec<u8>,
    number: u64,
}

impl<R: Read> Opener<R> {
    /// Reads what stands before the pieces.
    ///
    /// # Errors
    /// In the error of the stream: `backup.not_one`, `backup.newer`, `backup.key`.
    pub(crate) fn begin(mut inner: R, master: &MasterKey) -> io::Result<Self> {
        let mut header = Vec::with_capacity(HEADER);
        (&mut inner).take(HEADER as u64).read_to_end(&mut header)?;
        let rest = header.strip_prefix(MAGIC).ok_or(BackupError::NotOne)?;
        let (format, rest) = rest.split_first_chunk::<2>().ok_or(BackupError::NotOne)?;
        let format = u16::from_le_bytes(*format);
        if format != FORMAT {
            let version = format!("with format {format} of the file");
            return Err(BackupError::Newer { version }.into());
        }
        let (salt, _) = rest
            .split_first_chunk::<SALT>()
            .ok_or(BackupError::Damaged { at: 0 })?;
        let key = PieceKey::of(master, salt);
        if header.len() < HEADER {
            return Err(BackupError::Damaged { at: 0 }.into());
        }
        if header != key.header {
            return Err(BackupError::Key.into());
        }
        let mut opener = Self {
            inner,
            key,
            plain: Zeroizing::new(Vec::new()),
            taken: 0,
            next: Vec::new(),
            number: 0,
        };
        opener.fetch()?;
        Ok(opener)
    }

    fn fetch(&mut self) -> io::Result<()> {
        self.next.clear();
        (&mut self.inner)
            .take((PIECE + TAG) as u64)
            .read_to_end(&mut self.next)?;
        Ok(())
    }

    fn open(&mut self) -> io::Result<()> {
        let at = HEADER as u64 + self.number * (PIECE + TAG) as u64;
        let sealed = std::mem::take(&mut self.next);
        self.fetch()?;
        let nonce = PieceKey::nonce(self.number, self.next.is_empty());
        let payload = Payload {
            msg: &sealed,
            aad: &self.key.header,
        };
        let plain = self
            .key
            .cipher
            .decrypt(&nonce, payload)
            .map_err(|_| BackupError::Damaged { at })?;
        self.plain = Zeroizing::new(plain);
        self.taken = 0;
        self.number += 1;
        Ok(())
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.plain.len() {
            if self.next.is_empty() && self.number > 0 {
                return Ok(0);
            }
            self.open()?;
        }
        let left = self.plain.get(self.taken..).unwrap_or_default();
        let taken = left.len().min(bytes.len());
        if let (Some(target), Some(source)) = (bytes.get_mut(..taken), left.get(..taken)) {
            target.copy_from_slice(source);
        }
        self.taken += taken;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let key = MasterKey::generate(&Fixed(7));
        let mut sealer = Sealer::begin(Vec::new(), &key, &Fixed(9)).unwrap();
        sealer.write_all(plain).unwrap();
        sealer.finish().unwrap()
    }

    fn opened(sealed: &[u8]) -> Result<Vec<u8>, String> {
        let key = MasterKey::generate(&Fixed(7));
        let mut plain = Vec::new();
        Opener::begin(sealed, &key)
            .and_then(|mut opener| opener.read_to_end(&mut plain))
            .map_err(|error| error.to_string())?;
        Ok(plain)
    }

    fn plain(length: usize) -> Vec<u8> {
        (0..length)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect()
    }

    #[test]
    fn what_was_sealed_opens_whatever_its_length() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let plain = plain(length);
            let sealed = sealed(&plain);
            assert!(
                !sealed
                    .windows(32)
                    .any(|window| plain.windows(32).next() == Some(window))
            );
            assert_eq!(opened(&sealed).unwrap(), plain, "{length}");
        }
    }

    #[test]
    fn every_cut_change_and_exchange_is_noticed_at_its_piece() {
        let whole = sealed(&plain(3 * PIECE + 100));
        let border = HEADER + PIECE + TAG;
        for cut in [HEADER, HEADER + 1, border, border + 1, whole.len() - 1] {
            let error = opened(&whole[..cut]).unwrap_err();
            assert!(error.starts_with("backup.damaged"), "{cut}: {error}");
        }
        for (at, piece) in [
            (HEADER, 0),
            (border - 1, 0),
            (border, 1),
            (whole.len() - 1, 3),
        ] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            let error = opened(&changed).unwrap_err();
            let begins = HEADER + piece * (PIECE + TAG);
            assert!(
                error.contains(&format!("at byte {begins} ")),
                "{at}: {error}"
            );
        }
        let mut swapped = whole[..HEADER].to_vec();
        swapped.extend_from_slice(&whole[border..border + PIECE + TAG]);
        swapped.extend_from_slice(&whole[HEADER..border]);
        swapped.extend_from_slice(&whole[border + PIECE + TAG..]);
        assert!(
            opened(&swapped)
                .unwrap_err()
                .contains(&format!("at byte {HEADER} "))
        );
        let mut longer = whole.clone();
        longer.push(0);
        assert!(opened(&longer).is_err());
    }

    #[test]
    fn another_key_and_another_file_are_told_apart_from_damage() {
        let whole = sealed(b"somebody");
        let other = MasterKey::generate(&Fixed(8));
        let error = Opener::begin(whole.as_slice(), &other).err().unwrap();
        assert!(error.to_string().starts_with("backup.key"), "{error}");
        for text in [
            &b""[..],
            b"SQLite format 3\0 and more of it, for it is longer than that",
        ] {
            assert!(opened(text).unwrap_err().starts_with("backup.not_one"));
        }
        let mut newer = whole;
        newer[14] = 2;
        assert!(opened(&newer).unwrap_err().starts_with("backup.newer"));
    }
}
