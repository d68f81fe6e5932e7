import { expect } from "bun:test";
import { KTLS, KTLS_AES_GCM_256_LAYOUT } from "../../../ffi/abi/ktls.ts";
import { valuesInC } from "../../support/c-values.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";

testUnless(needsProgram("cc"))("kernel TLS has the values and layout of linux/tls.h", () => {
  // SOL_TLS stands in linux/socket.h, which user programs do not see.
  const { SOL_TLS, ...named } = KTLS;
  const names = Object.keys(named);
  expect(SOL_TLS).toBe(282);
  const struct = "struct tls12_crypto_info_aes_gcm_256";
  const theirs = valuesInC(["linux/tls.h"], {
    ...Object.fromEntries(names.map((name) => [name, name])),
    size: `sizeof(${struct})`,
    version: `offsetof(${struct}, info.version)`,
    cipher: `offsetof(${struct}, info.cipher_type)`,
    iv: `offsetof(${struct}, iv)`,
    key: `offsetof(${struct}, key)`,
    salt: `offsetof(${struct}, salt)`,
    sequence: `offsetof(${struct}, rec_seq)`,
  });
  expect<Record<string, number>>({ ...named, ...KTLS_AES_GCM_256_LAYOUT }).toEqual(theirs);
});
