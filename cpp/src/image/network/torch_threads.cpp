#include "image/network/torch_threads.hpp"

#include <ATen/Parallel.h>
#include <pthread.h>

#include <atomic>
#include <mutex>

namespace secondlook::image {

namespace {

// Set in forked children, and in their children.
std::atomic<bool> forked{false};

bool is_forked() {
  static std::once_flag once;
  std::call_once(once, [] {
    // From here on LibTorch may have threads. After a fork only a flag can be set safely.
    pthread_atfork(nullptr, nullptr, [] { forked.store(true, std::memory_order_relaxed); });
  });
  return forked.load(std::memory_order_relaxed);
}

}  // namespace

void heed_forks() {
  if (is_forked() && at::get_num_threads() != 1) at::set_num_threads(1);
}

TorchThreads::TorchThreads(std::size_t n_threads) {
  heed_forks();
  before_ = at::get_num_threads();
  if (!is_forked()) at::set_num_threads(static_cast<int>(n_threads));
}

TorchThreads::~TorchThreads() {
  if (!is_forked()) at::set_num_threads(before_);
}

}  // namespace secondlook::image
