//! Opens a backup by what is written of its form, and by none of the code that
//! makes it: what stands inside is searched as bytes.

use std::io::Read as _;
use std::path::Path;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};

/// Magic, format, salt and check.
const HEADER: usize = 14 + 2 + 32 + 16;
/// A piece with its tag.
const PIECE: usize = 256 * 1024 + 16;

/// What stands in a backup, decrypted and unpacked.
pub(crate) fn opened(file: &Path, key_file: &Path) -> Vec<u8> {
    let sealed = std::fs::read(file).unwrap();
    let hex = std::fs::read_to_string(key_file).unwrap();
    let mut material: Vec<u8> = (0..64)
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    let (header, pieces) = sealed.split_at(HEADER);
    material.extend_from_slice(&header[16..48]);
    let key = blake3::derive_key("Muster backup file: key of the pieces", &material);
    let cipher = XChaCha20Poly1305::new(&chacha20poly1305::Key::from(key));
    let last = pieces.len().div_ceil(PIECE) - 1;
    let mut packed = Vec::new();
    for (number, piece) in pieces.chunks(PIECE).enumerate() {
        let mut nonce = [0_u8; 24];
        nonce[..8].copy_from_slice(&(number as u64).to_be_bytes());
        nonce[8] = u8::from(number == last);
        let payload = Payload {
            msg: piece,
            aad: header,
        };
        packed.extend(cipher.decrypt(&XNonce::from(nonce), payload).unwrap());
    }
    let mut plain = Vec::new();
    zstd::Decoder::new(packed.as_slice())
        .unwrap()
        .read_to_end(&mut plain)
        .unwrap();
    assert!(plain.len() > 10_000, "{}", plain.len());
    plain
}
