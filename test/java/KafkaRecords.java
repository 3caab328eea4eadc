/*
 * The record side of KafkaTool: Java's producer and consumer as the judge of what ours wrote and the source of what ours reads.
 */
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.zip.CRC32;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

final class KafkaRecords {
  private KafkaRecords() {}

  /**
   * Either `records` [{key, value, partition, timestamp, headers: {name: text}}] as they are, or `count` of them: keys k0…, values
   * "prefix0"… padded with dots to `valueBytes`. `config` is the producer's. `transaction`: "commit" or "abort" wraps them in one.
   */
  static Object produce(JsonNode command, String bootstrap) throws Exception {
    Properties config = new Properties();
    config.put("bootstrap.servers", bootstrap);
    config.put("linger.ms", "5");
    config.put("max.block.ms", "20000");
    config.put("delivery.timeout.ms", "30000");
    config.put("request.timeout.ms", "10000");
    String transaction = command.path("transaction").asText("");
    if (!transaction.isEmpty()) config.put("transactional.id", "tool-" + System.nanoTime());
    command.path("config").fields().forEachRemaining(entry -> config.put(entry.getKey(), entry.getValue().asText()));

    List<RecordMetadata> written = new ArrayList<>();
    try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
      if (!transaction.isEmpty()) {
        producer.initTransactions();
        producer.beginTransaction();
      }
      List<Future<RecordMetadata>> futures = new ArrayList<>();
      for (ProducerRecord<byte[], byte[]> record : recordsOf(command)) futures.add(producer.send(record));
      producer.flush();
      for (Future<RecordMetadata> future : futures) written.add(future.get());
      if (transaction.equals("abort")) producer.abortTransaction();
      else if (!transaction.isEmpty()) producer.commitTransaction();
    }
    return rangesOf(written);
  }

  private static List<ProducerRecord<byte[], byte[]>> recordsOf(JsonNode command) {
    String topic = KafkaTool.text(command, "topic");
    Integer fixed = command.hasNonNull("partition") ? Integer.valueOf(command.get("partition").asInt()) : null;
    List<ProducerRecord<byte[], byte[]>> result = new ArrayList<>();
    for (JsonNode each : command.path("records")) {
      Integer partition = each.hasNonNull("partition") ? Integer.valueOf(each.get("partition").asInt()) : fixed;
      Long timestamp = each.hasNonNull("timestamp") ? Long.valueOf(each.get("timestamp").asLong()) : null;
      var record = new ProducerRecord<>(topic, partition, timestamp, bytes(each.get("key")), bytes(each.get("value")));
      each.path("headers").fields().forEachRemaining(entry -> record.headers().add(entry.getKey(), bytes(entry.getValue())));
      result.add(record);
    }
    String prefix = command.path("prefix").asText("v");
    int valueBytes = command.path("valueBytes").asInt(0);
    boolean keyed = command.path("keyed").asBoolean(true);
    for (int i = 0; i < command.path("count").asInt(0); i++) {
      StringBuilder value = new StringBuilder(prefix).append(i);
      while (value.length() < valueBytes) value.append('.');
      byte[] key = keyed ? ("k" + i).getBytes(StandardCharsets.UTF_8) : null;
      result.add(new ProducerRecord<>(topic, fixed, key, value.toString().getBytes(StandardCharsets.UTF_8)));
    }
    return result;
  }

  private static Object rangesOf(List<RecordMetadata> written) {
    Map<Integer, Map<String, Object>> ranges = new TreeMap<>();
    for (RecordMetadata each : written) {
      var range = ranges.computeIfAbsent(each.partition(), key -> new TreeMap<>(Map.of("first", each.offset(), "count", 0)));
      range.put("last", each.offset());
      range.merge("count", 1, (a, b) -> (Integer) a + (Integer) b);
    }
    return ranges;
  }

  /**
   * Reads a topic from its first offset to where it ends now. Per partition: count, first and last offset, CRC32 of the values in order.
   * `values` and `records` add what was read; `committed` reads only committed transactions.
   */
  static Object consume(JsonNode command, String bootstrap) throws Exception {
    Properties config = new Properties();
    config.put("bootstrap.servers", bootstrap);
    config.put("enable.auto.commit", "false");
    config.put("auto.offset.reset", "earliest");
    config.put("isolation.level", command.path("committed").asBoolean() ? "read_committed" : "read_uncommitted");
    long deadline = System.nanoTime() + command.path("limitMs").asLong(30_000) * 1_000_000L;
    Tally tally = new Tally(command.path("values").asBoolean(), command.path("records").asBoolean());
    try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (PartitionInfo info : consumer.partitionsFor(KafkaTool.text(command, "topic"), Duration.ofSeconds(20)))
        if (!command.hasNonNull("partition") || command.get("partition").asInt() == info.partition())
          partitions.add(new TopicPartition(info.topic(), info.partition()));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = writtenEnds(config, partitions);
      while (partitions.stream().anyMatch(each -> consumer.position(each) < ends.get(each))) {
        if (System.nanoTime() > deadline) throw new IllegalStateException("did not reach " + ends + " in time, read " + tally.count);
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100)))
          if (record.offset() < ends.get(new TopicPartition(record.topic(), record.partition()))) tally.add(record);
      }
    }
    return tally.result();
  }

  /**
   * Where the partitions end, open transactions counted. To a reader of committed records the end is where the first open transaction
   * begins, and a transaction is still open for a moment after the producer was told of its end: markers are written later (KIP-98).
   */
  private static Map<TopicPartition, Long> writtenEnds(Properties reader, List<TopicPartition> partitions) {
    Properties config = new Properties();
    config.putAll(reader);
    config.put("isolation.level", "read_uncommitted");
    try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      return consumer.endOffsets(partitions, Duration.ofSeconds(20));
    }
  }

  /** What a read found. */
  private static final class Tally {
    private final boolean keepValues;
    private final boolean keepRecords;
    private final Map<Integer, Map<String, Object>> partitions = new TreeMap<>();
    private final Map<Integer, CRC32> sums = new TreeMap<>();
    private final Set<String> distinct = new HashSet<>();
    private final List<String> values = new ArrayList<>();
    private final List<Object> records = new ArrayList<>();
    private int count;

    Tally(boolean keepValues, boolean keepRecords) {
      this.keepValues = keepValues;
      this.keepRecords = keepRecords;
    }

    void add(ConsumerRecord<byte[], byte[]> record) {
      count++;
      var entry = partitions.computeIfAbsent(record.partition(), key -> new TreeMap<>(Map.of("first", record.offset(), "count", 0)));
      entry.put("last", record.offset());
      entry.merge("count", 1, (a, b) -> (Integer) a + (Integer) b);
      byte[] value = record.value() == null ? new byte[0] : record.value();
      sums.computeIfAbsent(record.partition(), key -> new CRC32()).update(value);
      distinct.add(new String(value, StandardCharsets.ISO_8859_1));
      if (keepValues) values.add(new String(value, StandardCharsets.UTF_8));
      if (keepRecords) records.add(plain(record));
    }

    Object result() {
      sums.forEach((partition, sum) -> partitions.get(partition).put("crc", sum.getValue()));
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("count", count);
      result.put("distinct", distinct.size());
      result.put("partitions", partitions);
      if (keepValues) result.put("values", values);
      if (keepRecords) result.put("records", records);
      return result;
    }

    private static Object plain(ConsumerRecord<byte[], byte[]> record) {
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("partition", record.partition());
      result.put("offset", record.offset());
      result.put("timestamp", record.timestamp());
      result.put("timestampType", record.timestampType().name);
      result.put("key", base64(record.key()));
      result.put("value", base64(record.value()));
      List<Object> headers = new ArrayList<>();
      for (Header header : record.headers()) headers.add(new String[] {header.key(), base64(header.value())});
      result.put("headers", headers);
      return result;
    }
  }

  private static String base64(byte[] bytes) {
    return bytes == null ? null : Base64.getEncoder().encodeToString(bytes);
  }

  private static byte[] bytes(JsonNode node) {
    return node == null || node.isNull() ? null : node.asText().getBytes(StandardCharsets.UTF_8);
  }
}
