/*
 * A member of a ZooKeeper group as the world knows it: Kafka's own Scala high-level consumer (1.1.1). Settings come as one JSON argument, commands
 * (commit, close) as lines on stdin, and everything that happens goes out as JSON lines. It lives as long as its stdin.
 */
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import kafka.consumer.Blacklist;
import kafka.consumer.Consumer;
import kafka.consumer.ConsumerConfig;
import kafka.consumer.ConsumerThreadId;
import kafka.consumer.KafkaStream;
import kafka.consumer.TopicFilter;
import kafka.consumer.Whitelist;
import kafka.javaapi.consumer.ConsumerConnector;
import kafka.javaapi.consumer.ConsumerRebalanceListener;
import kafka.message.MessageAndMetadata;

public final class ScalaMember {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static PrintStream out;

  public static void main(String[] args) {
    out = System.out;
    System.setOut(System.err); // Nothing but our lines on stdout.
    try {
      run(args);
    } catch (Throwable error) {
      error.printStackTrace();
      say("error", Map.of("message", error.toString()));
    }
    Runtime.getRuntime().halt(1); // It failed, or whoever started it is gone.
  }

  private static void run(String[] args) throws Exception {
    JsonNode settings = JSON.readTree(args[0]);
    Properties config = new Properties();
    settings.get("config").fields().forEachRemaining(entry -> config.put(entry.getKey(), entry.getValue().asText()));
    ConsumerConnector connector = Consumer.createJavaConsumerConnector(new ConsumerConfig(config));
    connector.setConsumerRebalanceListener(new Listener());
    for (KafkaStream<byte[], byte[]> stream : streams(connector, settings)) {
      Thread reader = new Thread(() -> read(stream));
      reader.setDaemon(true);
      reader.start();
    }
    say("started", Map.of());
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String command; (command = in.readLine()) != null; ) {
      if (command.equals("commit")) {
        connector.commitOffsets(true);
        say("committed", Map.of());
      } else if (command.equals("close")) {
        connector.shutdown();
        say("closed", Map.of());
        Runtime.getRuntime().halt(0);
      } else {
        say("error", Map.of("message", "no such command: " + command));
      }
    }
  }

  private static List<KafkaStream<byte[], byte[]>> streams(ConsumerConnector connector, JsonNode settings) {
    if (settings.hasNonNull("topics")) {
      Map<String, Integer> counts = new HashMap<>();
      settings.get("topics").fields().forEachRemaining(entry -> counts.put(entry.getKey(), entry.getValue().asInt()));
      List<KafkaStream<byte[], byte[]>> all = new ArrayList<>();
      connector.createMessageStreams(counts).values().forEach(all::addAll);
      return all;
    }
    TopicFilter filter = settings.hasNonNull("whitelist") ? new Whitelist(settings.get("whitelist").asText())
      : new Blacklist(settings.get("blacklist").asText());
    return connector.createMessageStreamsByFilter(filter, settings.path("streams").asInt(1));
  }

  private static void read(KafkaStream<byte[], byte[]> stream) {
    for (MessageAndMetadata<byte[], byte[]> message : stream) {
      Map<String, Object> record = new LinkedHashMap<>();
      record.put("topic", message.topic());
      record.put("partition", message.partition());
      record.put("offset", message.offset());
      record.put("key", text(message.key()));
      record.put("value", text(message.message()));
      say("record", record);
    }
  }

  private static final class Listener implements ConsumerRebalanceListener {
    @Override
    public void beforeReleasingPartitions(Map<String, Set<Integer>> owned) {
      Map<String, Object> partitions = new TreeMap<>();
      for (Map.Entry<String, ?> entry : owned.entrySet()) partitions.put(entry.getKey(), numbers(entry.getValue()));
      say("releasing", Map.of("partitions", partitions));
    }

    @Override
    public void beforeStartingFetchers(String memberId, Map<String, Map<Integer, ConsumerThreadId>> all) {
      Map<String, Object> partitions = new TreeMap<>();
      all.forEach((topic, owners) -> {
        TreeSet<Integer> mine = new TreeSet<>();
        owners.forEach((partition, thread) -> {
          if (thread.consumer().equals(memberId)) mine.add(partition);
        });
        if (!mine.isEmpty()) partitions.put(topic, mine);
      });
      say("assigned", Map.of("memberId", memberId, "partitions", partitions));
    }
  }

  /** What is declared as a Java set comes as a Scala one in fact. */
  private static TreeSet<Integer> numbers(Object set) {
    TreeSet<Integer> result = new TreeSet<>();
    if (set instanceof Iterable<?> java) for (Object each : java) result.add((Integer) each);
    if (set instanceof scala.collection.Iterable<?> scala)
      for (var each = scala.iterator(); each.hasNext(); ) result.add((Integer) each.next());
    return result;
  }

  private static String text(byte[] bytes) {
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }

  private static void say(String type, Map<String, ?> facts) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("type", type);
    line.putAll(facts);
    try {
      String text = JSON.writeValueAsString(line);
      synchronized (out) {
        out.println(text);
        out.flush();
      }
    } catch (Exception error) {
      throw new IllegalStateException(error);
    }
  }
}
