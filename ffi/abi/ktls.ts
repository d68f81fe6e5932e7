/** TLS in the kernel: linux/tls.h, tls(7) of the kernel's documentation. */

/** Options of level SOL_TLS. The last is younger than some headers. */
export const KTLS = {
  SOL_TLS: 282,
  TLS_TX: 1,
  TLS_RX: 2,
  TLS_RX_EXPECT_NO_PAD: 4,
  TLS_1_3_VERSION: 0x0304,
  TLS_CIPHER_AES_GCM_256: 52,
} as const;

/** struct tls12_crypto_info_aes_gcm_256, for TLS 1.3 too. */
export const KTLS_AES_GCM_256_LAYOUT = {
  size: 56,
  version: 0,
  cipher: 2,
  iv: 4,
  key: 12,
  salt: 44,
  sequence: 48,
} as const;
