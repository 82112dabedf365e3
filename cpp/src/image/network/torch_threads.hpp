#pragma once

#include <cstddef>

namespace secondlook::image {

/// Sets LibTorch's number of threads for the calling thread, and restores it at the end.
///
/// In a process forked after LibTorch was used it is always one thread: LibTorch's OpenMP would
/// wait for the parent's threads, which the child does not have.
class TorchThreads {
 public:
  explicit TorchThreads(std::size_t n_threads);
  ~TorchThreads();
  TorchThreads(const TorchThreads&) = delete;
  TorchThreads& operator=(const TorchThreads&) = delete;

 private:
  int before_;
};

/// Restricts LibTorch to one thread in a forked process; to be called before computations that
/// leave the number of threads to LibTorch.
void heed_forks();

}  // namespace secondlook::image
