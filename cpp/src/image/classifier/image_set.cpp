#include "image/classifier/image_set.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <string>

#include "core/validation.hpp"
#include "secondlook/core/thread_pool.hpp"
#include "secondlook/image/decode.hpp"

namespace secondlook::image {

Image prepare_input(const char* who, const ImageInput& input, std::size_t index,
                    const Preprocessing& preprocessing) {
  const Image image = take(input);  // whose errors name the file
  try {
    return prepare(image, preprocessing);
  } catch (const InvalidArgument& error) {
    const auto* file = std::get_if<std::filesystem::path>(&input);
    std::string_view reason = error.what();
    if (constexpr std::string_view begin = "prepare: "; reason.starts_with(begin))
      reason.remove_prefix(begin.size());
    require(false, "{}: {}: {}", who,
            file != nullptr ? file->string() : "image " + std::to_string(index), reason);
    throw;
  }
}

Image take(const ImageInput& input) {
  if (const auto* image = std::get_if<Image>(&input)) return *image;
  return read_image(std::get<std::filesystem::path>(input));
}

void for_each_image(std::size_t n, std::size_t n_threads,
                    const std::function<void(std::size_t)>& work, const Progress& progress) {
  struct Failed {};  // so that Ctrl-C and the like, which belong to no image, pass through
  std::mutex mutex;
  std::size_t first_failed = n;
  std::exception_ptr error;
  // Pieces of one image start in order and are never abandoned: when an image fails, those before
  // it have started, and whichever of them fails is recorded before `parallel_for` returns.
  const auto work_or_record = [&](std::size_t i) {
    try {
      work(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (i < first_failed) {
        first_failed = i;
        error = std::current_exception();
      }
      throw Failed{};
    }
  };
  try {
    parallel_for(
        n, 1, n_threads, [&](std::size_t begin, std::size_t) { work_or_record(begin); }, progress);
  } catch (const Failed&) {
    std::rethrow_exception(error);
  }
}

ImageSet load_images(const char* who, std::span<const ImageInput> inputs,
                     const Preprocessing& preprocessing, bool skip_broken, std::size_t n_threads,
                     const Progress& progress) {
  std::vector<std::optional<Image>> images(inputs.size());
  std::vector<BrokenImage> broken;
  std::mutex mutex;
  const auto load = [&](std::size_t i) {
    try {
      images[i] = prepare_input(who, inputs[i], i, preprocessing);
    } catch (const Error& error) {
      if (!skip_broken) throw;
      const std::lock_guard lock(mutex);
      broken.push_back({i, error.what()});
    }
  };
  for_each_image(inputs.size(), n_threads, load, progress);
  std::ranges::sort(broken, {}, &BrokenImage::index);
  ImageSet set;
  set.broken = std::move(broken);
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (!images[i]) continue;
    set.images.push_back(std::move(*images[i]));
    set.indices.push_back(i);
  }
  return set;
}

Progress progress_while_loading(const ImageTrainingProgress& progress) {
  if (!progress) return {};
  return [&progress](std::size_t, std::size_t) { return progress({}); };
}

void require_labels(const char* who, std::size_t n_images, std::span<const std::int64_t> labels) {
  require(n_images > 0, "{}: expected at least 1 image, got none", who);
  require(labels.size() == n_images, "{}: expected one label per image ({}), got {}", who, n_images,
          labels.size());
}

void fill(Batch& batch, std::size_t size, const Preprocessing& p, std::size_t n_threads,
          const std::function<Image(std::size_t)>& image) {
  const std::size_t n_values = p.channels * p.height * p.width;
  batch.size = size;
  batch.values.resize(size * n_values);
  for_each_image(size, n_threads, [&](std::size_t i) {
    to_tensor(image(i), p, std::span(batch.values).subspan(i * n_values, n_values));
  });
}

}  // namespace secondlook::image
