#include "walcat/selection/digest.h"

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <new>

namespace walcat::selection {

namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

const EVP_MD* algorithm_of(ColumnRule::Digest digest) {
  // Fetched once: EVP_sha256() and its like would be looked up again for every value.
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  static const EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  switch (digest) {
    case ColumnRule::Digest::kSha256: return sha256;
    case ColumnRule::Digest::kSha512: return sha512;
    case ColumnRule::Digest::kMd5: return md5;
  }
  return nullptr;
}

EVP_MD_CTX* own_context() {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  return context.get();
}

}  // namespace

bool is_available(ColumnRule::Digest digest) { return algorithm_of(digest) != nullptr; }

void write_digest(ColumnRule::Digest digest, std::string_view salt, std::string_view value, std::string& hex) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned int size = 0;
  const EVP_MD* algorithm = algorithm_of(digest);
  EVP_MD_CTX* context = own_context();
  const bool done = algorithm != nullptr && context != nullptr &&
                    EVP_DigestInit_ex2(context, algorithm, nullptr) == 1 &&
                    EVP_DigestUpdate(context, salt.data(), salt.size()) == 1 &&
                    EVP_DigestUpdate(context, value.data(), value.size()) == 1 &&
                    EVP_DigestFinal_ex(context, bytes.data(), &size) == 1;
  // Memory is all that a digest which was once available can lack; no answer at all is better than an open value.
  if (!done) throw std::bad_alloc();
  hex.resize(std::size_t{2} * size);
  for (std::size_t i = 0; i < size; ++i) {
    hex[2 * i] = kDigits[bytes[i] >> 4];
    hex[2 * i + 1] = kDigits[bytes[i] & 15];
  }
}

}  // namespace walcat::selection
