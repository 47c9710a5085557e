module walcat.bench/go-pq-cdc

go 1.23

require github.com/Trendyol/go-pq-cdc v1.11.14
