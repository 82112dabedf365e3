#pragma once

#include <cstddef>

namespace secondlook::image {

/// LibTorch's threads for the time being, as the caller's thread sees them.
///
/// In a process that was forked after LibTorch had computed here it is one thread: LibTorch's
/// OpenMP would wait for the parent's threads, which the child does not have.
class TorchThreads {
 public:
  explicit TorchThreads(std::size_t n_threads);
  ~TorchThreads();
  TorchThreads(const TorchThreads&) = delete;
  TorchThreads& operator=(const TorchThreads&) = delete;

 private:
  int before_;
};

/// The same care for what leaves the number of threads to LibTorch; to be called before it
/// computes.
void heed_forks();

}  // namespace secondlook::image
