//! SHA-256 of one or two messages at a time on one core.
//!
//! A core with the SHA extension waits for its own result most of the time; a second, independent message fills
//! those waits, so that two are hashed in little more time than one.

#[cfg(target_arch = "x86_64")]
mod ni;

use fim_core::Digest;

/// The unit that the compression works on.
pub(crate) type Block = [u8; BLOCK_BYTES];

/// The length of a [`Block`].
pub(crate) const BLOCK_BYTES: usize = 64;

/// Where a hash has got to between two blocks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct State([u32; 8]);

impl State {
    /// The state before the first block (FIPS 180-4, 5.3.3).
    pub(crate) const INITIAL: Self = Self([
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ]);

    /// The digest, once the last block with its padding has been taken in.
    pub(crate) fn digest(&self) -> Digest {
        let mut bytes = [0; 32];
        for (four, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(self.0) {
            *four = word.to_be_bytes();
        }
        Digest(bytes)
    }
}

/// The way of hashing that this processor is best at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kernel {
    /// With the SHA extension, two messages in lockstep.
    #[cfg(target_arch = "x86_64")]
    TwoLanes(ni::ShaExtension),
    /// The `sha2` crate, one message after the other.
    Portable,
}

impl Kernel {
    /// Asks the processor.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(extension) = ni::ShaExtension::detect() {
            return Self::TwoLanes(extension);
        }
        Self::Portable
    }

    /// Takes blocks of one message in.
    pub(crate) fn one(self, state: &mut State, blocks: &[Block]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::TwoLanes(extension) => extension.compress_one(&mut state.0, blocks),
            Self::Portable => sha2::block_api::compress256(&mut state.0, blocks),
        }
    }

    /// Takes blocks of two messages in; as many of each as both have. What the longer has beyond that is left.
    pub(crate) fn two(self, states: [&mut State; 2], blocks: [&[Block]; 2]) {
        let count = blocks[0].len().min(blocks[1].len());
        let [left, right] = states;
        let [left_blocks, right_blocks] = blocks.map(|all| &all[..count]);
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::TwoLanes(extension) => {
                extension.compress_two([&mut left.0, &mut right.0], [left_blocks, right_blocks]);
            }
            Self::Portable => {
                sha2::block_api::compress256(&mut left.0, left_blocks);
                sha2::block_api::compress256(&mut right.0, right_blocks);
            }
        }
    }
}

/// Writes the end of a message behind its last `tail_bytes` (fewer than a block), which begin at `tail_start` of the
/// buffer, and says how many bytes they are together: one block or two. The buffer needs room for two.
pub(crate) fn pad(buffer: &mut [u8], tail_start: usize, tail_bytes: usize, message_bytes: u64) -> usize {
    let blocks = if tail_bytes < BLOCK_BYTES - 8 { 1 } else { 2 };
    let padded = blocks * BLOCK_BYTES;
    let tail = &mut buffer[tail_start..tail_start + padded];
    tail[tail_bytes..].fill(0);
    tail[tail_bytes] = 0x80;
    // The length is counted in bits and modulo 2^64 (FIPS 180-4, 5.1.1).
    tail[padded - 8..].copy_from_slice(&message_bytes.wrapping_mul(8).to_be_bytes());
    padded
}

/// The SHA-256 of bytes at hand.
pub fn digest_of(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(bytes);
    hasher.digest()
}

/// A SHA-256 of bytes that come in pieces.
#[derive(Clone, Debug)]
pub struct Hasher {
    kernel: Kernel,
    state: State,
    /// The bytes that do not fill a block yet.
    tail: Block,
    tail_bytes: usize,
    message_bytes: u64,
}

impl Default for Hasher {
    fn default() -> Self {
        let (kernel, state) = (Kernel::detect(), State::INITIAL);
        Self { kernel, state, tail: [0; BLOCK_BYTES], tail_bytes: 0, message_bytes: 0 }
    }
}

impl Hasher {
    /// Takes the next piece in.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.message_bytes += bytes.len() as u64;
        if self.tail_bytes > 0 {
            let taken = bytes.len().min(BLOCK_BYTES - self.tail_bytes);
            self.tail[self.tail_bytes..self.tail_bytes + taken].copy_from_slice(&bytes[..taken]);
            self.tail_bytes += taken;
            bytes = &bytes[taken..];
            if self.tail_bytes < BLOCK_BYTES {
                return;
            }
            self.kernel.one(&mut self.state, &[self.tail]);
        }
        let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
        self.kernel.one(&mut self.state, blocks);
        self.tail[..rest.len()].copy_from_slice(rest);
        self.tail_bytes = rest.len();
    }

    /// The digest of everything taken in.
    pub fn digest(&self) -> Digest {
        let mut state = self.state;
        let mut last = [0; 2 * BLOCK_BYTES];
        last[..self.tail_bytes].copy_from_slice(&self.tail[..self.tail_bytes]);
        let padded = pad(&mut last, 0, self.tail_bytes, self.message_bytes);
        self.kernel.one(&mut state, last[..padded].as_chunks().0);
        state.digest()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::Digest as _;

    use super::*;

    fn padded(message: &[u8]) -> Vec<u8> {
        let tail = message.len() % BLOCK_BYTES;
        let start = message.len() - tail;
        let mut buffer = message.to_vec();
        buffer.resize(start + 2 * BLOCK_BYTES, 0xAA);
        let end = start + pad(&mut buffer, start, tail, message.len() as u64);
        buffer.truncate(end);
        buffer
    }

    fn expected(message: &[u8]) -> Digest {
        Digest(sha2::Sha256::digest(message).into())
    }

    fn kernels() -> impl Iterator<Item = Kernel> {
        [Kernel::detect(), Kernel::Portable].into_iter()
    }

    /// Hashes two messages in lockstep as far as both go, then each alone.
    fn hash_pair(kernel: Kernel, messages: [&[u8]; 2]) -> [Digest; 2] {
        let buffers = messages.map(padded);
        let [left, right] = [&buffers[0], &buffers[1]].map(|buffer| buffer.as_chunks::<BLOCK_BYTES>().0);
        let shared = left.len().min(right.len());
        let (mut one, mut two) = (State::INITIAL, State::INITIAL);
        kernel.two([&mut one, &mut two], [left, right]);
        kernel.one(&mut one, &left[shared..]);
        kernel.one(&mut two, &right[shared..]);
        [one.digest(), two.digest()]
    }

    #[test]
    fn every_length_up_to_three_blocks_hashes_as_the_reference_does() {
        let bytes: Vec<u8> = (0..=192u8).map(|n| n.wrapping_mul(31)).collect();
        for length in 0..bytes.len() {
            let message = &bytes[..length];
            assert_eq!(digest_of(message), expected(message), "length {length}");
            for kernel in kernels() {
                let reversed: Vec<u8> = message.iter().rev().copied().collect();
                let pair = hash_pair(kernel, [message, &reversed]);
                assert_eq!(pair, [expected(message), expected(&reversed)], "{kernel:?}, length {length}");
            }
        }
    }

    #[test]
    fn lengths_around_the_read_buffer_hash_as_the_reference_does() {
        for length in [65_535, 65_536, 65_537, 300_000, 1_000_003] {
            let message: Vec<u8> = (0..length).map(|n| (n * 7 % 251) as u8).collect();
            assert_eq!(digest_of(&message), expected(&message), "length {length}");
        }
    }

    #[test]
    fn no_blocks_leave_the_state_as_it_was() {
        for kernel in kernels() {
            let (mut one, mut two) = (State::INITIAL, State::INITIAL);
            kernel.two([&mut one, &mut two], [&[], &[[0; 64]]]);
            kernel.one(&mut one, &[]);
            assert_eq!([one, two], [State::INITIAL; 2]);
        }
    }

    proptest! {
        #[test]
        fn pieces_hash_as_their_whole(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..150), 0..8)) {
            let mut hasher = Hasher::default();
            pieces.iter().for_each(|piece| hasher.update(piece));
            prop_assert_eq!(hasher.digest(), expected(&pieces.concat()));
        }

        #[test]
        fn lanes_do_not_disturb_each_other(
            left in prop::collection::vec(any::<u8>(), 0..2000),
            right in prop::collection::vec(any::<u8>(), 0..2000),
        ) {
            for kernel in kernels() {
                prop_assert_eq!(hash_pair(kernel, [&left, &right]), [expected(&left), expected(&right)]);
            }
        }
    }
}
