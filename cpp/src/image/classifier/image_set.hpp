#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "image/classifier/batch_pipeline.hpp"
#include "secondlook/image/image_classifier.hpp"

namespace secondlook::image {

/// The image itself, or the content of its file.
[[nodiscard]] Image take(const ImageInput& input);

/// `take` and `prepare`; messages about pixels begin with `who` and name the file or the index.
[[nodiscard]] Image prepare_input(const char* who, const ImageInput& input, std::size_t index,
                                  const Preprocessing& preprocessing);

/// Calls `work(i)` for each index below n, on several threads. If calls throw, the exception of the
/// lowest index is thrown, whatever the number of threads.
SECONDLOOK_EXPORT void for_each_image(std::size_t n, std::size_t n_threads,
                                      const std::function<void(std::size_t)>& work,
                                      const Progress& progress = {});

/// Images prepared for a network.
struct ImageSet {
  std::vector<Image> images;
  std::vector<std::size_t> indices;  ///< of each image among the inputs
  std::vector<BrokenImage> broken;   ///< the inputs left out, by index
};

/// Reads and prepares all images on several threads.
/// @throws InvalidArgument, FileError about the first broken image, naming its file or its index,
///   unless `skip_broken`
[[nodiscard]] SECONDLOOK_EXPORT ImageSet load_images(const char* who,
                                                     std::span<const ImageInput> inputs,
                                                     const Preprocessing& preprocessing,
                                                     bool skip_broken, std::size_t n_threads,
                                                     const Progress& progress);

/// Lets `progress` cancel while images are read, before there is a loss to report. Must not outlive
/// `progress`.
[[nodiscard]] Progress progress_while_loading(const ImageTrainingProgress& progress);

/// @throws InvalidArgument unless there are images and one label for each
void require_labels(const char* who, std::size_t n_images, std::span<const std::int64_t> labels);

/// Fills a batch on several threads: `image(i)` is the i-th image, prepared.
void fill(Batch& batch, std::size_t size, const Preprocessing& preprocessing, std::size_t n_threads,
          const std::function<Image(std::size_t)>& image);

}  // namespace secondlook::image
