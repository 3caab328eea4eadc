/*
 * A member of a Kafka group as the world knows it: Java's own KafkaConsumer, of whichever version is on the class path. Settings come as one JSON
 * argument, commands as JSON lines on stdin, and everything that happens goes out as JSON lines with its time. It lives as long as its stdin.
 */
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public final class JavaMember {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final ConcurrentLinkedQueue<JsonNode> COMMANDS = new ConcurrentLinkedQueue<>();
  private static PrintStream out;

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final boolean commitEach;
  private final long busyMs;
  /** What was handed out and is not committed yet, next offsets. */
  private final Map<TopicPartition, OffsetAndMetadata> given = new LinkedHashMap<>();

  private JavaMember(JsonNode settings) {
    Properties config = new Properties();
    settings.get("config").fields().forEachRemaining(entry -> config.put(entry.getKey(), entry.getValue().asText()));
    consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    commitEach = settings.path("commitEach").asBoolean();
    busyMs = settings.path("busyMs").asLong();
  }

  public static void main(String[] args) {
    out = System.out;
    System.setOut(System.err); // Nothing but our lines on stdout.
    if (args[0].equals("--train")) {
      train();
      return;
    }
    try {
      JsonNode settings = JSON.readTree(args[0]);
      JavaMember member = new JavaMember(settings);
      Thread commands = new Thread(JavaMember::readCommands, "commands");
      commands.setDaemon(true);
      commands.start();
      member.subscribe(settings);
      say("started", Map.of());
      member.run();
      Runtime.getRuntime().halt(0);
    } catch (Throwable error) {
      error.printStackTrace();
      say("trouble", Map.of("message", error.toString()));
    }
    Runtime.getRuntime().halt(1);
  }

  /** Loads what a member needs, for the archive of classes: a consumer that finds nobody. */
  private static void train() {
    Properties config = new Properties();
    config.put("bootstrap.servers", "127.0.0.1:1");
    config.put("group.id", "train");
    try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.subscribe(List.of("train"));
      consumer.poll(Duration.ofMillis(300));
    }
    say("started", Map.of());
  }

  private static void readCommands() {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try {
      for (String line; (line = in.readLine()) != null; ) COMMANDS.add(JSON.readTree(line));
    } catch (IOException error) {
      error.printStackTrace();
    }
    Runtime.getRuntime().halt(1); // Whoever started it is gone.
  }

  private void subscribe(JsonNode settings) throws Exception {
    Listener listener = new Listener();
    if (settings.hasNonNull("pattern")) consumer.subscribe(Pattern.compile(settings.get("pattern").asText()), listener);
    else if (settings.hasNonNull("serverPattern")) subscribeAtServer(settings.get("serverPattern").asText(), listener);
    else {
      List<String> topics = new ArrayList<>();
      for (JsonNode topic : settings.get("topics")) topics.add(topic.asText());
      consumer.subscribe(topics, listener);
    }
  }

  /** By reflection: 3.9.1 has no such class. */
  private void subscribeAtServer(String pattern, ConsumerRebalanceListener listener) throws Exception {
    Class<?> type = Class.forName("org.apache.kafka.clients.consumer.SubscriptionPattern");
    Object subscription = type.getConstructor(String.class).newInstance(pattern);
    KafkaConsumer.class.getMethod("subscribe", type, ConsumerRebalanceListener.class).invoke(consumer, subscription, listener);
  }

  private void run() throws Exception {
    for (;;) {
      for (JsonNode command; (command = COMMANDS.poll()) != null; ) {
        String what = command.get("do").asText();
        if (what.equals("commit")) commit();
        else if (what.equals("stall")) Thread.sleep(command.get("ms").asLong());
        else if (what.equals("close")) {
          consumer.close(Duration.ofSeconds(20));
          say("closed", Map.of());
          return;
        } else say("trouble", Map.of("message", "no such command: " + command));
      }
      ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(50));
      if (records.isEmpty()) continue;
      tell(records);
      if (busyMs > 0) Thread.sleep(busyMs);
      if (commitEach) commit();
    }
  }

  private void tell(ConsumerRecords<byte[], byte[]> records) {
    List<Object> all = new ArrayList<>();
    for (ConsumerRecord<byte[], byte[]> record : records) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("topic", record.topic());
      fields.put("partition", record.partition());
      fields.put("offset", record.offset());
      fields.put("key", text(record.key()));
      fields.put("value", text(record.value()));
      all.add(fields);
      given.put(new TopicPartition(record.topic(), record.partition()), new OffsetAndMetadata(record.offset() + 1));
    }
    say("polled", Map.of("records", all));
  }

  private void commit() {
    Map<String, Object> facts = new LinkedHashMap<>();
    Map<String, Long> offsets = new TreeMap<>();
    given.forEach((partition, next) -> offsets.put(name(partition), next.offset()));
    facts.put("offsets", offsets);
    try {
      consumer.commitSync(new LinkedHashMap<>(given));
      given.clear();
    } catch (KafkaException error) {
      facts.put("error", error.toString());
    }
    say("committed", facts);
  }

  private final class Listener implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      moved("assigned", partitions);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      if (commitEach && given.keySet().stream().anyMatch(partitions::contains)) commit();
      given.keySet().removeAll(partitions);
      moved("revoked", partitions);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
      given.keySet().removeAll(partitions);
      moved("lost", partitions);
    }

    private void moved(String what, Collection<TopicPartition> partitions) {
      var metadata = consumer.groupMetadata();
      List<String> names = new ArrayList<>();
      for (TopicPartition partition : partitions) names.add(name(partition));
      names.sort(null);
      say(what, Map.of("partitions", names, "memberId", metadata.memberId(), "generation", metadata.generationId()));
    }
  }

  /** By the name of kafkajs' own assigner, for groups that it is in. */
  public static final class KafkajsAssignor extends RoundRobinAssignor {
    @Override
    public String name() {
      return "RoundRobinAssigner";
    }
  }

  private static String name(TopicPartition partition) {
    return partition.topic() + "/" + partition.partition();
  }

  private static String text(byte[] bytes) {
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }

  private static void say(String type, Map<String, ?> facts) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("type", type);
    line.put("at", System.currentTimeMillis());
    line.putAll(facts);
    try {
      String text = JSON.writeValueAsString(line);
      synchronized (out) {
        out.println(text);
        out.flush();
      }
    } catch (IOException error) {
      throw new IllegalStateException(error);
    }
  }
}
