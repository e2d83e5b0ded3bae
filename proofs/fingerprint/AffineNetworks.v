(** * With a label of its own for every call, affine networks determine the sampler

    From a normal start, let every call lead to the output and have a label of its own. If the outputs of two
    such samplers have the same law for every network F(l, q) = f_l q + g_l, with numbers f_l, then l, H and
    Sigma agree; and then (NormalStart.v) the laws are the same for every network.

    Of the law only the distribution function of one coordinate of the output is used, and of that only mean
    and variance. *)

From Coq Require Import Reals Lra Lia Arith FunctionalExtensionality.
From Fingerprint Require Import Samplers Law NormalStart Forms AffineOutput AffineMoments.
Open Scope R_scope.

(** ** Means *)

(** What is used of the expectation: it is linear, the distribution function tells the first two moments, and
    the draws have, in the coordinate k, mean zero and variance one and are uncorrelated. This is true of
    normal draws, if having a mean says that a random variable is measurable and integrable. *)
Record expectation {Coordinate : Type} (P : law Coordinate) (k : Coordinate) (K : nat) := Expectation {
  has_mean : ((nat -> state Coordinate) -> R) -> R -> Prop;
  mean_constant : forall c, has_mean (fun _ => c) c;
  mean_linear : forall a X Y m m', has_mean X m -> has_mean Y m' ->
    has_mean (fun n => a * X n + Y n) (a * m + m');
  moments_law : forall X Y m m' v v', (forall r, P (fun n => X n <= r) = P (fun n => Y n <= r)) ->
    has_mean X m -> has_mean (fun n => X n * X n) v ->
    has_mean Y m' -> has_mean (fun n => Y n * Y n) v' -> m = m' /\ v = v';
  mean_draw : forall d, (d < K)%nat -> has_mean (fun n => n d k) 0;
  mean_draws : forall d e, (d < K)%nat -> (e < K)%nat -> has_mean (fun n => n d k * n e k) (pulse d e)
}.
Arguments has_mean {Coordinate P k K}.
Arguments mean_constant {Coordinate P k K}.
Arguments mean_linear {Coordinate P k K} _ a {X Y m m'}.
Arguments moments_law {Coordinate P k K} _ {X Y m m' v v'}.
Arguments mean_draw {Coordinate P k K}.
Arguments mean_draws {Coordinate P k K}.

Section Means.
Context {Coordinate : Type} {P : law Coordinate} {k : Coordinate} {K : nat} (E : expectation P k K).
Implicit Types X Y : (nat -> state Coordinate) -> R.

Lemma mean_equal X Y m m' : has_mean E X m -> (forall n, Y n = X n) -> m' = m -> has_mean E Y m'.
Proof. intros M same ->. replace Y with X; [exact M | extensionality n; symmetry; apply same]. Qed.

Lemma mean_scaled a X m : has_mean E X m -> has_mean E (fun n => a * X n) (a * m).
Proof.
  intros M. apply (mean_equal (fun n => a * X n + 0) _ (a * m + 0)); [| intros; ring | ring].
  apply (mean_linear E); [exact M | apply mean_constant].
Qed.

Lemma mean_plus X Y m m' : has_mean E X m -> has_mean E Y m' -> has_mean E (fun n => X n + Y n) (m + m').
Proof.
  intros M M'. apply (mean_equal (fun n => 1 * X n + Y n) _ (1 * m + m')); [| intros; ring | ring].
  apply (mean_linear E); assumption.
Qed.

Lemma mean_sum j (X : nat -> (nat -> state Coordinate) -> R) (m : nat -> R) :
  (forall i, (i < j)%nat -> has_mean E (X i) (m i)) -> has_mean E (fun n => sum j (fun i => X i n)) (sum j m).
Proof.
  induction j as [| j IH]; intros each; simpl; [apply mean_constant |].
  apply mean_plus; [apply IH; intros; apply each | apply each]; lia.
Qed.

(** A sum of random variables with mean zero, and its square. *)
Lemma mean_dot j x (V : nat -> (nat -> state Coordinate) -> R) :
  (forall u, (u < j)%nat -> has_mean E (V u) 0) -> has_mean E (fun n => dot j x (fun u => V u n)) 0.
Proof.
  intros zero. eapply mean_equal.
  - apply (mean_sum j (fun u n => x u * V u n) (fun u => x u * 0)). intros u U. apply mean_scaled, zero, U.
  - reflexivity.
  - symmetry. apply sum_zero. intros. ring.
Qed.

Lemma mean_product j x y C (V : nat -> (nat -> state Coordinate) -> R) :
  (forall u v, (u < j)%nat -> (v < j)%nat -> has_mean E (fun n => V u n * V v n) (C u v)) ->
  has_mean E (fun n => dot j x (fun u => V u n) * dot j y (fun u => V u n)) (bilinear j C x y).
Proof.
  intros known. eapply mean_equal.
  - apply (mean_sum j (fun u n => sum j (fun v => x u * y v * (V u n * V v n)))
      (fun u => sum j (fun v => x u * y v * C u v))). intros u U.
    apply (mean_sum j (fun v n => x u * y v * (V u n * V v n))). intros. apply mean_scaled, known; assumption.
  - intros n. unfold dot at 1. rewrite Rmult_comm, <- sum_scal. apply sum_ext. intros u _.
    unfold dot. rewrite Rmult_comm, <- sum_scal. apply sum_ext. intros. ring.
  - apply sum_ext. intros u _. apply sum_ext. intros. ring.
Qed.
End Means.

(** ** Mean and variance of the output *)

Section Output.
Context {Label Coordinate : Type}.
Variables (k : Coordinate) (S : R) (K : nat) (P : law Coordinate).
Variable E : expectation P k (Datatypes.S K).
Variables (A : sampler Label) (G : nat -> nat -> R).

(** The start and the noise of row u. *)
Let share (u : nat) (n : nat -> state Coordinate) : R :=
  merged k A (fun k => S * n O k) (noise K G (fun d => n (Datatypes.S d))) u.

Lemma share_drawn u n : share u n = dot (Datatypes.S K) (shares S A G u) (fun d => n d k).
Proof. unfold share, merged, noise, dot. rewrite sum_first. simpl. ring. Qed.

Lemma share_mean u : has_mean E (share u) 0.
Proof.
  eapply mean_equal; [| apply share_drawn | reflexivity].
  apply (mean_dot E _ _ (fun d n => n d k)). intros. apply mean_draw. assumption.
Qed.

Lemma share_covariance u v : has_mean E (fun n => share u n * share v n) (Sigma S K A G u v).
Proof.
  rewrite <- shares_covariance. eapply mean_equal.
  - apply (mean_product E (Datatypes.S K) (shares S A G u) (shares S A G v) pulse (fun d n => n d k)).
    intros. apply mean_draws; assumption.
  - intros n. rewrite !share_drawn. reflexivity.
  - rewrite bilinear_dot. apply sum_ext. intros d small. rewrite dot_comm, dot_pulse by exact small. ring.
Qed.

Lemma drawn_moments f g (m := mean k A f g) :
  has_mean E (fun n => drawn_output S K A G (affine f g) n k) m /\
  has_mean E (fun n => drawn_output S K A G (affine f g) n k * drawn_output S K A G (affine f g) n k)
    (variance k A (Sigma S K A G) f + m * m).
Proof.
  destruct (factors_exist A f) as [p found]. set (N := Datatypes.S (calls A)).
  set (part := fun n => dot N p (fun u => share u n)).
  assert (forall n, drawn_output S K A G (affine f g) n k = m + part n) as equal.
  { intros n. unfold m. rewrite (mean_factors k A f g p found). apply output_affine, found. }
  assert (has_mean E part 0) by (apply mean_dot; intros; apply share_mean).
  split.
  - eapply mean_equal; [apply mean_plus; [apply mean_constant | eassumption] | apply equal |].
    symmetry. apply Rplus_0_r.
  - rewrite (variance_factors k A _ f p found).
    apply (mean_equal E (fun n => part n * part n + (2 * m * part n + m * m)) _
      (quadratic N (Sigma S K A G) p + (2 * m * 0 + m * m)));
      [| intros n; rewrite equal; ring | unfold N; ring].
    apply mean_plus; [apply mean_product; intros; apply share_covariance |].
    apply (mean_linear E); [assumption | apply mean_constant].
Qed.

Lemma Sigma_symmetric : symmetric (Datatypes.S (calls A)) (Sigma S K A G).
Proof.
  intros u v _ _. unfold Sigma, covariance. rewrite (dot_comm K (G u)). ring.
Qed.
End Output.

(** ** The theorem *)

Theorem affine_networks : forall (Label Coordinate : Type) (decide : forall a b : Label, {a = b} + {a <> b})
    (k : Coordinate) S K (P : law Coordinate) (E : expectation P k (Datatypes.S K))
    (A B : sampler Label) G G',
  rotation_invariant (Datatypes.S K) P -> distinct A -> distinct B -> live A -> live B ->
  (forall f g r, P (fun n => drawn_output S K A G (affine f g) n k <= r)
                 = P (fun n => drawn_output S K B G' (affine f g) n k <= r))
  <-> same_from_normal S K A G B G'.
Proof.
  intros Label Coordinate decide k S K P E A B G G' invariant distinct_A distinct_B live_A live_B. split.
  - intros laws.
    assert (forall f g, mean k A f g = mean k B f g /\
      variance k A (Sigma S K A G) f = variance k B (Sigma S K B G') f) as equal.
    { intros f g. destruct (drawn_moments k S K P E A G f g) as [first second].
      destruct (drawn_moments k S K P E B G' f g) as [first' second'].
      destruct (moments_law E (laws f g) first second first' second') as [means squares].
      split; [exact means |]. rewrite means in squares. lra. }
    apply (moments_determine decide k); trivial; try apply Sigma_symmetric.
    + intros f g. apply equal.
    + intros f. apply (equal f (fun _ _ => 0)).
  - intros same f g r.
    apply (law_from_normal S K A G B G' (affine f g) P (fun x => x k <= r) same invariant).
Qed.

(** So affine networks decide for all networks. *)
Corollary affine_networks_suffice : forall (Label Coordinate : Type)
    (decide : forall a b : Label, {a = b} + {a <> b}) (k : Coordinate) S K (P : law Coordinate)
    (E : expectation P k (Datatypes.S K)) (A B : sampler Label) G G',
  rotation_invariant (Datatypes.S K) P -> distinct A -> distinct B -> live A -> live B ->
  (forall f g r, P (fun n => drawn_output S K A G (affine f g) n k <= r)
                 = P (fun n => drawn_output S K B G' (affine f g) n k <= r)) ->
  forall F event, P (fun n => event (drawn_output S K A G F n))
                = P (fun n => event (drawn_output S K B G' F n)).
Proof.
  intros Label Coordinate decide k S K P E A B G G' invariant distinct_A distinct_B live_A live_B laws.
  intros F event.
  apply law_from_normal; [| exact invariant].
  apply (affine_networks Label Coordinate decide k S K P E A B G G'); assumption.
Qed.
