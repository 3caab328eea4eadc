import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/** The workloads of bench/programs on Kafka's own client: `java Bench <work> key=value ...`, answered by one line `RESULT {json}`. */
public class Bench {
  private static final Map<String, String> options = new HashMap<>();
  private static final Map<String, Object> figures = new LinkedHashMap<>();
  private static final OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static byte[][] values;
  private static String topic;

  private static int number(String name) {
    return Integer.parseInt(options.get(name));
  }

  private static double cpuMs() {
    return system.getProcessCpuTime() / 1e6;
  }

  private static double nowMs() {
    return System.nanoTime() / 1e6;
  }

  public static void main(String[] arguments) throws Exception {
    for (int i = 1; i < arguments.length; i++) {
      int at = arguments[i].indexOf('=');
      options.put(arguments[i].substring(0, at), arguments[i].substring(at + 1));
    }
    topic = options.get("topic");
    if (options.containsKey("payload")) {
      List<byte[]> lines = new ArrayList<>();
      for (String line : Files.readAllLines(Path.of(options.get("payload")), StandardCharsets.ISO_8859_1))
        lines.add(line.getBytes(StandardCharsets.ISO_8859_1));
      values = lines.toArray(byte[][]::new);
    }
    switch (arguments[0]) {
      case "lists" -> bulk();
      case "singles" -> singles();
      case "latency" -> latency();
      case "consume" -> consume();
      case "end-to-end" -> endToEnd();
      case "group" -> group();
      case "start" -> start();
      default -> throw new IllegalArgumentException(arguments[0]);
    }
    finish();
  }

  /** With what is fast for the work: room for large batches where it is bulk, no waiting where it is latency. Idempotent, its own default. */
  private static KafkaProducer<byte[], byte[]> producer(boolean bulk) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", options.get("brokers"));
    properties.put("acks", "all");
    properties.put("linger.ms", bulk ? "5" : "0");
    if (bulk) {
      properties.put("batch.size", "1048576");
      properties.put("buffer.memory", "67108864");
      properties.put("max.request.size", "8388608");
    }
    if (options.containsKey("compression")) properties.put("compression.type", options.get("compression"));
    return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
  }

  private static KafkaConsumer<byte[], byte[]> consumer(String group) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", options.get("brokers"));
    properties.put("group.id", group);
    properties.put("auto.offset.reset", "earliest");
    var consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    consumer.subscribe(List.of(topic));
    return consumer;
  }

  private interface Work {
    void run() throws Exception;
  }

  private static void measured(Work work) throws Exception {
    double cpu = cpuMs();
    double from = nowMs();
    work.run();
    figures.put("wallMs", nowMs() - from);
    figures.put("cpuMs", cpuMs() - cpu);
  }

  private static void bulk() throws Exception {
    var producer = producer(true);
    sendAll(producer, number("warm"));
    measured(() -> sendAll(producer, number("count")));
    producer.close();
  }

  private static void sendAll(KafkaProducer<byte[], byte[]> producer, int count) throws Exception {
    var left = new CountDownLatch(count);
    var failed = new AtomicInteger();
    for (int i = 0; i < count; i++)
      producer.send(new ProducerRecord<>(topic, values[i % values.length]), (metadata, error) -> {
        if (error != null) failed.incrementAndGet();
        left.countDown();
      });
    left.await();
    if (failed.get() > 0) throw new IllegalStateException(failed.get() + " failed");
  }

  /** A future for each, `atOnce` of them at a time. */
  private static void singles() throws Exception {
    var producer = producer(false);
    Work all = () -> {
      int count = figures.containsKey("warmed") ? number("count") : number("warm");
      for (int next = 0; next < count; ) {
        List<Future<?>> futures = new ArrayList<>();
        for (int i = Math.min(number("atOnce"), count - next); i > 0; i--)
          futures.add(producer.send(new ProducerRecord<>(topic, values[next++ % values.length])));
        for (var future : futures) future.get();
      }
    };
    all.run();
    figures.put("warmed", 1);
    measured(all);
    producer.close();
  }

  private static void latency() throws Exception {
    var producer = producer(false);
    for (int i = 0; i < number("warm"); i++) producer.send(new ProducerRecord<>(topic, values[i % values.length])).get();
    double[] took = new double[number("count")];
    measured(() -> {
      for (int i = 0; i < took.length; i++) {
        double from = nowMs();
        producer.send(new ProducerRecord<>(topic, values[i % values.length])).get();
        took[i] = nowMs() - from;
      }
    });
    percentiles(took, took.length);
    producer.close();
  }

  private static void consume() throws Exception {
    var consumer = consumer("bench-" + ProcessHandle.current().pid());
    int warm = number("warm");
    int end = warm + number("count");
    int seen = 0;
    double cpu = 0;
    double from = 0;
    while (seen < end)
      for (var record : consumer.poll(Duration.ofMillis(500))) {
        if (record.value().length == 0) throw new IllegalStateException("an empty value");
        if (++seen == warm) {
          cpu = cpuMs();
          from = nowMs();
        } else if (seen == end) {
          figures.put("wallMs", nowMs() - from);
          figures.put("cpuMs", cpuMs() - cpu);
        }
      }
  }

  private static void endToEnd() throws Exception {
    int total = (number("warmSeconds") + number("seconds")) * number("rate");
    double[] took = new double[total];
    double[] since = {0};
    var seen = new AtomicInteger();
    var measuredCount = new AtomicInteger();
    var reader = new Thread(() -> {
      var consumer = consumer("bench-" + ProcessHandle.current().pid());
      while (true)
        for (var record : consumer.poll(Duration.ofMillis(200))) {
          double at = ByteBuffer.wrap(record.value()).order(ByteOrder.LITTLE_ENDIAN).getDouble(0);
          if (since[0] > 0 && at > since[0]) took[measuredCount.getAndIncrement()] = nowMs() - at;
          seen.incrementAndGet();
        }
    });
    reader.setDaemon(true);
    reader.start();
    var producer = producer(false);
    int sent = 0;
    for (; seen.get() == 0; sent++) {
      producer.send(stamped()).get();
      Thread.sleep(20);
    }
    int before = sent;
    double from = nowMs();
    double cpu = 0;
    while (sent < before + total) {
      double now = nowMs();
      if (since[0] == 0 && now - from > number("warmSeconds") * 1000) {
        since[0] = now;
        cpu = cpuMs();
      }
      for (int due = before + (int) Math.min(total, (now - from) * number("rate") / 1000); sent < due; sent++) producer.send(stamped());
      Thread.sleep(1);
    }
    for (double until = nowMs() + 5000; seen.get() < sent && nowMs() < until; ) Thread.sleep(5);
    if (seen.get() < sent) throw new IllegalStateException(sent + " were sent, " + seen.get() + " came");
    figures.put("cpuMs", cpuMs() - cpu);
    figures.put("messages", measuredCount.get());
    percentiles(took, measuredCount.get());
  }

  private static ProducerRecord<byte[], byte[]> stamped() {
    byte[] value = new byte[number("recordBytes")];
    ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).putDouble(0, nowMs());
    return new ProducerRecord<>(topic, value);
  }

  private static void group() throws Exception {
    String name = "bench-" + ProcessHandle.current().pid();
    double[] last = {0};
    double[] silence = {0};
    boolean[] watching = {false};
    for (String figure : List.of("firstMs", "secondMs")) {
      double from = nowMs();
      var joined = new CountDownLatch(1);
      var member = new Thread(() -> {
        var consumer = consumer(name);
        while (true)
          for (var record : consumer.poll(Duration.ofMillis(200)))
            synchronized (last) {
              double now = nowMs();
              if (watching[0] && last[0] > 0) silence[0] = Math.max(silence[0], now - last[0]);
              last[0] = now;
              joined.countDown();
            }
      });
      member.setDaemon(true);
      member.start();
      joined.await();
      figures.put(figure, nowMs() - from);
      if (watching[0]) break;
      Thread.sleep(number("settleMs"));
      synchronized (last) {
        watching[0] = true;
      }
    }
    Thread.sleep(500);
    figures.put("silenceMs", silence[0]);
  }

  private static void start() throws Exception {
    var producer = producer(false);
    producer.send(new ProducerRecord<>(topic, "hello".getBytes(StandardCharsets.UTF_8))).get();
    producer.close();
  }

  private static void percentiles(double[] all, int count) {
    double[] sorted = Arrays.copyOf(all, count);
    Arrays.sort(sorted);
    figures.put("p50Ms", sorted[count / 2]);
    figures.put("p99Ms", sorted[(int) (count * 0.99)]);
  }

  private static void finish() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/status")))
      if (line.startsWith("VmHWM")) figures.put("rssMb", Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024);
    figures.put("totalCpuMs", cpuMs());
    var json = new StringBuilder("RESULT {\"version\":\"" + AppInfoParser.getVersion() + "\"");
    figures.forEach((name, value) -> json.append(",\"").append(name).append("\":").append(value));
    System.out.println(json.append("}"));
    System.exit(0);
  }
}
