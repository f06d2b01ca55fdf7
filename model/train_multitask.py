"""Training by sentence-transformers' own trainer: NLI and KorSTS in turn."""
from __future__ import annotations

from pathlib import Path

from model import datasets

DEV = "korsts_dev"
METRIC = f"eval_{DEV}_spearman_cosine"


def train(recipe: dict) -> dict[str, float]:
    """Trains, keeps the checkpoint that is best on KorSTS dev, saves it; returns the dev figure."""
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer
    from sentence_transformers import SentenceTransformerTrainingArguments as Arguments
    from sentence_transformers import losses
    from sentence_transformers.evaluation import EmbeddingSimilarityEvaluator
    from transformers.trainer_utils import get_last_checkpoint

    out = Path(recipe["out"])
    steps = out / "steps"
    model = SentenceTransformer(recipe["checkpoint"])
    model.max_seq_length = recipe.get("max_length", 128)
    limit = recipe.get("limit")
    nli, sts = datasets.nli_triplets()[:limit], datasets.korsts("train")[:limit]
    dev = datasets.korsts("dev")[:limit]
    data = {
        "nli": Dataset.from_dict(dict(zip(("anchor", "positive", "negative"), zip(*nli)))),
        "sts": Dataset.from_dict({
            "sentence1": [row[0] for row in sts], "sentence2": [row[1] for row in sts],
            "score": [row[2] / 5 for row in sts],
        }),
    }
    trainer = SentenceTransformerTrainer(
        model=model,
        args=Arguments(
            output_dir=str(steps),
            num_train_epochs=recipe["epochs"],
            per_device_train_batch_size=recipe["batch"],
            learning_rate=recipe["learning_rate"],
            warmup_steps=recipe.get("warmup_steps", 360),
            lr_scheduler_type="linear",
            weight_decay=recipe.get("weight_decay", 0.01),
            max_grad_norm=recipe.get("max_grad_norm", 1.0),
            multi_dataset_batch_sampler="round_robin",
            eval_strategy="steps", eval_steps=recipe.get("eval_steps", 1000),
            save_strategy="steps", save_steps=recipe.get("eval_steps", 1000), save_total_limit=2,
            load_best_model_at_end=True, metric_for_best_model=METRIC, greater_is_better=True,
            logging_steps=recipe.get("eval_steps", 1000), report_to="none",
            seed=recipe["seed"], data_seed=recipe["seed"], dataloader_pin_memory=False,
        ),
        train_dataset=data,
        loss={
            "nli": losses.MultipleNegativesRankingLoss(model),
            "sts": losses.CosineSimilarityLoss(model),
        },
        evaluator=EmbeddingSimilarityEvaluator(
            [row[0] for row in dev], [row[1] for row in dev], [row[2] / 5 for row in dev], name=DEV
        ),
    )
    last = get_last_checkpoint(str(steps)) if steps.is_dir() else None
    trainer.train(resume_from_checkpoint=last)
    model.save(str(out))
    return {"KorSTS dev, Spearman of cosine": 100 * trainer.evaluate()[METRIC]}
